/** What people in a simulated history can see and reach. */
import type { Random } from "../../model/clock.ts";
import type { GitHubSimulator } from "../github/index.ts";
import type { AppTask, AppWorld } from "./app-world.ts";
import type { History } from "./history.ts";
import { repositoriesOf } from "./places.ts";

export interface Stage {
  readonly world: AppWorld;
  readonly github: GitHubSimulator;
  readonly random: Random;
  readonly history: History;
  /** Whether Tandem has merged a record with a resource and the pairing has not ended. */
  readonly isPaired: (recordType: string, recordId: string) => Promise<boolean>;
}

export type Deed = (stage: Stage) => Promise<void>;
/** Deeds with how often each is done, in relation to the others. */
export type Deeds = readonly (readonly [weight: number, deed: Deed])[];

export async function livingTasks({ world }: Stage): Promise<readonly AppTask[]> {
  return (await world.tasks()).filter(({ archived }) => !archived);
}

/** Some repository; where there is one, nothing is drawn for it. */
export function someRepository({ world, random }: Stage): string {
  const all = repositoriesOf(world.kind);
  const [first = ""] = all;
  return all.length === 1 ? first : (choose(all, random) ?? first);
}

export function choose<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)];
}
