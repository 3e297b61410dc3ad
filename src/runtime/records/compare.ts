/** Reading both sides of a pairing for a plan: the present record, and the resource by its id. */
import type { RecordSide } from "../../engine/lifecycle/index.ts";
import { isArchivedByUs } from "../../engine/lane/index.ts";
import { contentOrNull } from "../../engine/merge/index.ts";
import { IntegrationError, type RedirectedResource } from "../../integrations/integration.ts";
import type { Lane } from "../../model/lane.ts";
import { isSoftDeleted, type Mapping, type Row } from "../../model/mapping.ts";
import type { Observation } from "../../model/observation.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Contact, Services } from "../services/index.ts";

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

/** The record of a lane. A record that Tandem archived and the app left so counts: it returns with its resource. */
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
  // If the mapping throws, the processing of the event reports the error.
  return content === null ? { kind: "gone" } : { kind: "present", content };
}

/** Reads a resource by id. The caller has access to its container, so a 404 means that it is deleted. */
export async function readOrAbsent(
  services: Services,
  contact: Contact,
  { resource }: Mapping,
  externalId: string,
  signal?: AbortSignal,
): Promise<Observation | "absent" | RedirectedResource> {
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
