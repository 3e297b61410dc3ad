/** Where the counterparts of records are, and what became of those that their records have left. */
import type { Lane } from "../../model/lane.ts";
import { type Place, recordName, resourceName } from "./places.ts";
import type { Scene } from "./verdict.ts";

/** A pairing that ended since its record was moved to another connection. */
export function hasLeft({ tombstone }: Lane): boolean {
  return tombstone?.recordMoved !== undefined;
}

/** Where a record belongs; `null` where nothing is connected. */
export function placeOf(
  record: string,
  { records, places }: Pick<Scene, "records" | "places">,
): Place | null {
  const { belongsTo = "" } = records.get(record) ?? {};
  if (belongsTo.startsWith("tasks:")) return placeOf(belongsTo, { records, places });
  return places.find(({ project }) => project === belongsTo) ?? null;
}

/** Whether a lane's record belongs elsewhere. */
export function isAwayFromHere(lane: Lane, scene: Scene): boolean {
  return placeOf(recordName(lane), scene)?.connection !== lane.connectionId;
}

/** Whether a task, or what a comment belongs to, is archived. */
export function isPutAway(record: string, { records }: Pick<Scene, "records">): boolean {
  const { archived = false, belongsTo = "" } = records.get(record) ?? {};
  return archived || records.get(belongsTo)?.archived === true;
}

/** A comment stays where its task had an issue that ended by a deletion, wherever the task goes then. */
function staysBelow({ connectionId, recordType, recordId }: Lane, scene: Scene): boolean {
  const task = scene.records.get(recordName({ recordType, recordId }))?.belongsTo;
  return scene.ledger.lanes.some(
    (each) =>
      each.connectionId === connectionId &&
      recordName(each) === task &&
      each.tombstone !== null &&
      !hasLeft(each),
  );
}

/** A record has its resource where it belongs, and nothing else of it is open, unless people said so. */
export function misplaced(scene: Scene): readonly string[] {
  const { ledger, places, records, resources, history } = scene;
  const found: string[] = [];
  for (const lane of ledger.lanes) {
    const name = `${resourceName(lane, places)} and ${recordName(lane)}`;
    const record = records.get(recordName(lane));
    if (lane.tombstone === null) {
      if (record !== undefined && isAwayFromHere(lane, scene) && !staysBelow(lane, scene)) {
        const where = placeOf(recordName(lane), scene)?.repository ?? "nowhere";
        found.push(`${name} are paired, and the record belongs to ${where}`);
      }
      continue;
    }
    if (!hasLeft(lane)) continue;
    // Where its former resource was deleted, it has another by now.
    const isBack = ledger.lanes.some(
      (each) =>
        each.tombstone === null &&
        each.connectionId === lane.connectionId &&
        recordName(each) === recordName(lane),
    );
    const isHere = record !== undefined && !isPutAway(recordName(lane), scene);
    if (isHere && !isAwayFromHere(lane, scene) && !isBack) {
      found.push(`${name}: the record was taken for moved away, and it belongs here`);
    }
    const resource = resources.get(resourceName(lane, places));
    const isOpen = lane.resourceType === "issue" ? resource?.says.state === "open" : false;
    if (isOpen && !history.reopened.has(resourceName(lane, places))) {
      found.push(`${name}: the record was moved away, and the issue is open`);
    }
  }
  return found;
}
