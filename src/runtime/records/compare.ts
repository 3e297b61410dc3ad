/** Both sides of a pairing as a plan looks at them: the record as it is now, the resource by its id. */
import type { RecordSide } from "../../engine/lifecycle/index.ts";
import { isArchivedByUs } from "../../engine/lane/index.ts";
import { contentOrNull } from "../../engine/merge/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping, Row } from "../../model/mapping.ts";
import type { Observation, Place } from "../../model/observation.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Contact, Services } from "../services/index.ts";
import { isSoftDeleted } from "./fold-captures.ts";

/** The rows of lanes, by key. */
export async function rowsOf(
  tx: StoreTransaction,
  mapping: Mapping,
  lanes: readonly Lane[],
): Promise<ReadonlyMap<string, Row>> {
  return tx.records.read(
    mapping,
    lanes.flatMap(({ recordId }) => recordId ?? []),
  );
}

/** The record of a lane. What we archived, and the app left so, comes back with its resource. */
export function recordSide(
  mapping: Mapping,
  lane: Lane,
  rows: ReadonlyMap<string, Row>,
): RecordSide {
  if (lane.recordId === null) return { kind: "none" };
  const row = rows.get(lane.recordId);
  if (row === undefined) return { kind: "gone" };
  if (isSoftDeleted(mapping, row) && !isArchivedByUs(lane, row, mapping)) return { kind: "gone" };
  const content = contentOrNull(mapping, row);
  // A mapping that throws: the event's own attempt will say so.
  return content === null ? { kind: "gone" } : { kind: "present", content };
}

/** Reads a resource by id. Where we have access, a 404 means that it is gone. */
export async function readOrAbsent(
  services: Services,
  contact: Contact,
  { resource }: Mapping,
  externalId: string,
  signal?: AbortSignal,
): Promise<Observation | "absent" | { readonly to: Place }> {
  try {
    const client = services.gateway.container(contact);
    return await client.read({ type: resource.type, externalId }, signal);
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error;
    if (error.kind === "gone" || error.kind === "not_found") return "absent";
    if (error.moved !== null) return error.moved;
    throw error;
  }
}
