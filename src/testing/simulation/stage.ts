/** What people in a simulated history can see and reach. */
import type { Random } from "../../model/clock.ts";
import type { GitHubSimulator } from "../github/index.ts";
import type { AppTask, AppWorld } from "./app-world.ts";
import type { History } from "./history.ts";
import type { ConnectedSite, Site } from "./places.ts";
import type { RemoteEdits } from "./remote-edits.ts";

export interface Stage {
  readonly world: AppWorld;
  readonly github: GitHubSimulator;
  readonly random: Random;
  readonly history: History;
  readonly remoteEdits: RemoteEdits;
  /** Sets GitHub's clock back. */
  readonly setBack: (millis: number) => void;
  /** The repositories, the connected ones first. */
  readonly sites: readonly Site[];
  readonly places: readonly ConnectedSite[];
  /** Whether Tandem has merged a record with a resource and the pairing has not ended. */
  /** Whether Tandem waits for no answer about an issue that it knows of, or is not connected there. */
  readonly isSettled: (site: Site, number: number) => Promise<boolean>;
  /** The number of the issue that a living pairing joins a record to, or `null`. */
  readonly counterpartOf: (recordType: string, recordId: string) => Promise<number | null>;
  readonly isPaired: (recordType: string, recordId: string) => Promise<boolean>;
}

export type Deed = (stage: Stage) => Promise<void>;
/** Deeds with how often each is done, in relation to the others. */
export type Deeds = readonly (readonly [weight: number, deed: Deed])[];

export async function livingTasks({ world }: Stage): Promise<readonly AppTask[]> {
  return (await world.tasks()).filter(({ archived }) => !archived);
}

/** How often people look beyond what is connected, where there is anything. */
const BEYOND = 0.15;

/** Some repository, a connected one mostly; where there is one, nothing is drawn for it. */
export function someSite({ sites, places, random }: Stage): Site {
  const [first] = sites;
  if (first === undefined) throw new Error("there is no repository");
  if (sites.length === 1) return first;
  return choose(random() < BEYOND ? sites : places, random) ?? first;
}

export function choose<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)];
}
