/** What a list shows of ours besides what a record is bound to: planned to be closed, if it is certain. */
import type { Arrival } from "../engine/admit.ts";
import { planSurplus } from "../engine/reconcile.ts";
import { type Counterpart, isCertainlySurplus } from "../engine/surplus.ts";
import { IntegrationError } from "../integrations/integration.ts";
import type { LaneId } from "../model/ids.ts";
import type { Lane } from "../model/lane.ts";
import type { Observation } from "../model/observation.ts";
import { AddressBook, type Contact } from "./address-book.ts";
import { readOrAbsent } from "./both-sides.ts";
import type { PlannedStep, Planner } from "./plan-reconcile.ts";

/** A resource that was created twice. */
export interface SurplusStep {
  readonly cause: "surplus";
  readonly lane: LaneId;
  /** What the lane is bound to, as people name it here: `#7`, or `acme/app#7` where it was transferred. */
  readonly counterpart: string;
  readonly observation: Observation;
}

/** A resource of ours that a list has shown, with the lane that is bound to another. */
export interface Surplus {
  readonly lane: Lane;
  readonly arrival: Arrival;
}

/** Looks for what each lane is bound to, where it is: what is not there may be what was listed. */
export async function planSurplusOf(
  planner: Planner,
  listed: readonly Surplus[],
): Promise<readonly PlannedStep[]> {
  const { services, contact, mapping, adopted } = planner;
  const open = listed.filter(({ arrival }) => arrival.observation.content?.state !== "closed");
  if (open.length === 0) return [];
  const book = await AddressBook.open(services);
  const steps: PlannedStep[] = [];
  for (const { lane, arrival } of open) {
    const { observation } = arrival;
    // What this plan has bound it to was listed just before.
    const fresh = adopted.get(lane.id)?.externalId ?? null;
    const bound = lane.externalId ?? fresh;
    const home = book.contact(lane.connectionId);
    if (bound === null || home === null) continue;
    const counterpart = lane.externalId === null ? "there" : await lookFor(planner, home, bound);
    if (counterpart === null || !isCertainlySurplus(lane, counterpart)) continue;
    const isHere = lane.connectionId === contact.connection.id;
    steps.push({
      cause: "surplus",
      mapping,
      lane: lane.id,
      counterpart: isHere ? `#${bound}` : `${home.connection.containerName}#${bound}`,
      observation,
      actions: [planSurplus(lane, arrival)],
    });
  }
  return steps;
}

/** `null` where that cannot be told now: its account may be another, and have troubles of its own. */
async function lookFor(
  { services, mapping, signal }: Planner,
  home: Contact,
  bound: string,
): Promise<Counterpart | null> {
  try {
    const seen = await readOrAbsent(services, home, mapping, bound, signal);
    if (seen === "absent") return "absent";
    return "to" in seen ? "moved" : "there";
  } catch (error) {
    if (error instanceof IntegrationError) return null;
    throw error;
  }
}
