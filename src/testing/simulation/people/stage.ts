/** The world as people in a simulated history can see and change it. */
import type { Random } from "../../../model/clock.ts";
import type { GitHubSimulator } from "../../github/index.ts";
import type { AppTask, AppWorld, ConnectedSite, Site } from "../world/index.ts";
import type { History, RemoteEdits } from "../history/index.ts";

export interface Stage {
  readonly world: AppWorld;
  readonly github: GitHubSimulator;
  readonly random: Random;
  readonly history: History;
  readonly remoteEdits: RemoteEdits;
  /** Sets GitHub's clock back. */
  readonly setBack: (millis: number) => void;
  /** All repositories, connected ones first. */
  readonly sites: readonly Site[];
  readonly places: readonly ConnectedSite[];
  /** Whether no request about a known issue is pending, or its repository is not connected. */
  readonly isSettled: (site: Site, number: number) => Promise<boolean>;
  /** The number of the issue that is paired with a record, or `null`. */
  readonly counterpartOf: (recordType: string, recordId: string) => Promise<number | null>;
  /** Whether a record was merged with a resource and the pairing has not ended. */
  readonly isPaired: (recordType: string, recordId: string) => Promise<boolean>;
}

export type Deed = (stage: Stage) => Promise<void>;
/** Acts with their relative frequency. */
export type Deeds = readonly (readonly [weight: number, deed: Deed])[];

export async function livingTasks({ world }: Stage): Promise<readonly AppTask[]> {
  return (await world.tasks()).filter(({ archived }) => !archived);
}

/** How often people act in a repository that is not connected, if there is one. */
const BEYOND = 0.15;

/** A repository, usually a connected one. If there is only one, no number is drawn. */
export function someSite({ sites, places, random }: Stage): Site {
  const [first] = sites;
  if (first === undefined) throw new Error("there is no repository");
  if (sites.length === 1) return first;
  return choose(random() < BEYOND ? sites : places, random) ?? first;
}

export function choose<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)];
}
