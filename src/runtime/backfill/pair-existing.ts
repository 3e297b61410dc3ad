/** The steps of a backfill that pair existing records and resources, each within one transaction. */
import {
  AMBIGUOUS,
  bindPair,
  recordPairingKey,
  refuseAmbiguous,
  resourcePairingKey,
} from "../../engine/reconcile/index.ts";
import { contentOrNull, stampedAt } from "../../engine/merge/index.ts";
import type { AmbiguousKey, Backfill } from "../../model/backfill.ts";
import { type LaneId, laneId } from "../../model/ids.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Contact, Services } from "../services/index.ts";
import { unpairedRecords } from "./unpaired-records.ts";

/** The number of rows, lanes or keys that one step handles. */
const BATCH = 200;
const NAMED = 100;

interface Pairing {
  readonly contact: Contact;
  readonly mapping: Mapping;
  readonly claimed: Backfill;
}

/** Notes the keys of records without a counterpart, including those whose captured writes wait in a lane. */
export async function indexRecords(
  services: Pick<Services, "mappings">,
  tx: StoreTransaction,
  { contact, mapping, claimed }: Pairing,
): Promise<Backfill> {
  const { id } = contact.connection;
  const { type } = mapping.resource;
  if (claimed.cursor === null) await tx.backfills.forgetKeys(id, type);
  const { records, next } = await unpairedRecords(
    services,
    tx,
    contact,
    mapping,
    claimed.cursor,
    BATCH,
    "or_unsent",
  );
  const keys = records.flatMap(({ key, row, parentId }) => {
    const content = contentOrNull(mapping, row);
    const found = content === null ? null : recordPairingKey(mapping, row, content, parentId);
    return found === null ? [] : [{ side: "record" as const, id: key.recordId, ...found }];
  });
  await tx.backfills.noteKeys(id, type, keys);
  return { ...claimed, cursor: next, step: next === null ? "index_resources" : claimed.step };
}

/** Notes the keys of resources that have no record. */
export async function indexResources(
  tx: StoreTransaction,
  { contact, mapping, claimed }: Pairing,
): Promise<Backfill> {
  const { id } = contact.connection;
  const { type, parent } = mapping.resource;
  const cursor = claimed.cursor === null ? null : laneId(claimed.cursor);
  const bound = await tx.findLanes({
    kind: "with_resource",
    connectionId: id,
    resourceType: type,
    after: cursor,
    limit: BATCH,
  });
  const unpaired = bound.filter(({ recordId }) => recordId === null);
  const lanes = await tx.lockLanes(unpaired.map((lane) => lane.id));
  const parents = new Map(
    parent === null
      ? []
      : (
          await tx.findLanes({
            kind: "of_resources",
            connectionId: id,
            resourceType: parent,
            externalIds: lanes.flatMap((lane) => lane.parent?.externalId ?? []),
          })
        ).map((lane) => [lane.externalId, lane.recordId]),
  );
  const keys = lanes.flatMap((lane) => {
    const above = parents.get(lane.parent?.externalId ?? "") ?? null;
    const content = lane.known?.content ?? lane.copy;
    const found = resourcePairingKey(mapping, lane.externalId ?? "", content, above);
    return found === null ? [] : [{ side: "resource" as const, id: lane.id, ...found }];
  });
  await tx.backfills.noteKeys(id, type, keys);
  const last = bound.at(-1);
  const isAll = last === undefined || bound.length < BATCH;
  return { ...claimed, cursor: isAll ? null : last.id, step: isAll ? "pair" : claimed.step };
}

/** Pairs records and resources whose key is unique on both sides, and reports the other keys as ambiguous. */
export async function pairKeys(
  tx: StoreTransaction,
  { contact, mapping, claimed }: Pairing,
): Promise<Backfill> {
  const { id } = contact.connection;
  const shared = await tx.backfills.sharedKeys(id, mapping.resource.type, claimed.cursor, BATCH);
  let { paired } = claimed.progress;
  const ambiguous: AmbiguousKey[] = [];
  for (const { label, records, resources } of shared) {
    const [record, resource] = [records[0], resources[0]];
    if (record === undefined || resource === undefined) continue;
    if (records.length === 1 && resources.length === 1) {
      if (await join(tx, contact, mapping, record, laneId(resource))) paired += 1;
      continue;
    }
    const lanes = await tx.lockLanes(resources.map((lane) => laneId(lane)));
    const key = { label, records, resources: lanes.flatMap(({ externalId }) => externalId ?? []) };
    ambiguous.push(key);
    const error = ambiguity(mapping, key);
    await tx.saveLanes(
      lanes.map((before) => ({
        before,
        after: refuseAmbiguous(before, error, tx.now),
      })),
    );
  }
  const isAll = shared.length < BATCH;
  const progress = {
    ...claimed.progress,
    paired,
    ambiguous: [...claimed.progress.ambiguous, ...ambiguous].slice(0, NAMED),
    ambiguousCount: claimed.progress.ambiguousCount + ambiguous.length,
  };
  const cursor = isAll ? null : (shared.at(-1)?.key ?? null);
  return { ...claimed, progress, cursor, step: isAll ? "create" : claimed.step };
}

/** Pairs one record with one resource; `false` if one of them was paired or deleted meanwhile, or is processing. */
async function join(
  tx: StoreTransaction,
  { connection }: Contact,
  mapping: Mapping,
  recordId: string,
  resourceLane: LaneId,
): Promise<boolean> {
  const { type } = mapping.resource;
  const living = (
    await tx.findLanes({
      kind: "of_records",
      recordType: mapping.recordType,
      recordIds: [recordId],
    })
  ).find((lane) => lane.connectionId === connection.id && lane.resourceType === type);
  const lanes = await tx.lockLanes([resourceLane, ...(living === undefined ? [] : [living.id])]);
  const lane = lanes.find((one) => one.id === resourceLane);
  const own = lanes.find((one): one is Lane => one.id === living?.id) ?? null;
  const row = (await tx.records.read(mapping, [recordId])).get(recordId);
  if (lane === undefined || row === undefined) return false;
  const changedAt = stampedAt(mapping, row, await tx.records.stampClock(mapping));
  const bound = bindPair(lane, own, recordId, changedAt, mapping, tx.now);
  if (bound === null) return false;
  if (own !== null && bound.record !== null) {
    await tx.saveLanes([{ before: own, after: bound.record }]);
    await tx.removeLane(own.id);
  }
  await tx.saveLanes([{ before: lane, after: bound.resource }]);
  return true;
}

function ambiguity(mapping: Mapping, { label, records, resources }: AmbiguousKey) {
  const { type } = mapping.resource;
  return {
    code: AMBIGUOUS,
    message: `${label} is the key of ${mapping.recordType} ${records.join(", ")} and of ${type} ${resources.join(", ")}, so Tandem cannot tell which to pair.`,
    hint: "Make the key unique on both sides and run `tandem backfill` again; or restart this event to give the resource a record of its own.",
    retryable: false,
    httpStatus: null,
    requestId: null,
  };
}
