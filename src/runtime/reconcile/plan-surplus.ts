/** Planning the closing of surplus resources that a list shows, if it is certain that they are surplus. */
import type { Arrival } from "../../engine/lane/index.ts";
import { planSurplus } from "../../engine/reconcile/index.ts";
import { type First, isCertainlySurplus } from "../../engine/creates/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { Lane } from "../../model/lane.ts";
import type { Place } from "../../model/observation.ts";
import type { DirectorySnapshot, Contact } from "../services/index.ts";
import { readOrAbsent } from "../records/index.ts";
import type { PlannedStep, Planner } from "./planner.ts";

/** A listed resource of ours, with the lane that is paired with another one. */
export interface Surplus {
  readonly lane: Lane;
  readonly arrival: Arrival;
  /** Whether it is proven that an unanswered create made it. */
  readonly isProven: boolean;
}

/** How many unreported moves of the first resource one sweep follows; a later sweep follows more. */
const MOVES_FOLLOWED = 3;

/** Plans the closing of each resource that is certainly not the one of its lane. */
export async function planSurplusOf(
  planner: Planner,
  listed: readonly Surplus[],
  book: DirectorySnapshot,
): Promise<readonly PlannedStep[]> {
  const open = listed.filter(
    ({ arrival, isProven }) => isProven && arrival.observation.content?.state !== "closed",
  );
  if (open.length === 0) return [];
  const { contact, mapping, adopted } = planner;
  const steps: PlannedStep[] = [];
  for (const { lane, arrival } of open) {
    const { observation } = arrival;
    const here = { containerId: contact.connection.containerId, ...observation };
    // If this plan has adopted a resource for the lane, the list has just shown that one.
    const fresh = adopted.get(lane.id)?.externalId;
    const found =
      lane.externalId === null && fresh !== undefined && fresh !== null
        ? { first: "another" as const, name: `#${fresh}` }
        : await findFirst(planner, lane, book, here);
    if (found === null || !isCertainlySurplus(lane, found.first)) continue;
    steps.push({
      cause: "surplus",
      mapping,
      lane: lane.id,
      counterpart: found.name,
      observation,
      actions: [planSurplus(lane, arrival)],
    });
  }
  return steps;
}

/**
 * Reads the lane's own resource at its address; `null` if that is not possible now: it may be under another account,
 * which may be paused.
 */
async function findFirst(
  { services, contact, mapping, signal }: Planner,
  { connectionId, externalId }: Lane,
  book: DirectorySnapshot,
  second: Place,
): Promise<{ readonly first: First; readonly name: string } | null> {
  const home = book.contact(connectionId);
  if (externalId === null || home === null) return null;
  let place: Place = { containerId: home.connection.containerId, externalId };
  try {
    for (let moves = 0; moves <= MOVES_FOLLOWED; moves += 1) {
      const { containerId } = place;
      const name = `#${place.externalId}`;
      if (containerId === second.containerId && place.externalId === second.externalId) {
        return { first: "the_second", name };
      }
      const seen = await readOrAbsent(
        services,
        contactAt(containerId, home, book),
        mapping,
        place.externalId,
        signal,
      );
      if (seen === "absent") return { first: "absent", name };
      if (!("to" in seen)) {
        const isHere = containerId === contact.connection.containerId;
        return { first: "another", name: isHere ? name : (seen.display.url ?? name) };
      }
      place = seen.to;
    }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error;
  }
  return null;
}

/** The contact that reads a container: a connection of that container, or else the one of the lane. */
function contactAt(containerId: string, home: Contact, book: DirectorySnapshot): Contact {
  if (home.connection.containerId === containerId) return home;
  const [connected] = book.ofContainer(home.connection.integration, containerId);
  return connected ?? { ...home, connection: { ...home.connection, containerId } };
}
