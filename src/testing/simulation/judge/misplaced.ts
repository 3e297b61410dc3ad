/** Checks the place of each record's counterpart, and the end of counterparts that records have left. */
import type { Lane } from "../../../model/lane.ts";
import { isEndedByRecord, placeOutOfReach, recordMoveOf } from "../../../model/tombstone.ts";
import { type ConnectedSite, thingOfRecord, thingOfResource } from "../world/index.ts";
import type { Scene } from "./scene.ts";

/** A pairing that ended because its record was moved to another connection. */
export function hasLeft({ tombstone }: Lane): boolean {
  return recordMoveOf(tombstone) !== null;
}

/** The connection to which a record belongs; `null` if its scope is not connected. */
export function placeOf(
  record: string,
  { records, places }: Pick<Scene, "records" | "places">,
): ConnectedSite | null {
  const { belongsTo = "" } = records.get(record) ?? {};
  if (belongsTo.startsWith("tasks:")) return placeOf(belongsTo, { records, places });
  return places.find(({ project }) => project === belongsTo) ?? null;
}

/** Whether a lane's record belongs to another connection. */
export function isAwayFromHere(lane: Lane, scene: Scene): boolean {
  return placeOf(thingOfRecord(lane), scene)?.connection !== lane.connectionId;
}

/** The present names of resources that their records have left, or in whose connection they were archived. */
export function leftBehindBy(scene: Scene): Set<string> {
  const { ledger, places, history } = scene;
  return new Set(
    ledger.lanes
      .filter((lane) => hasLeft(lane) || (lane.tombstone !== null && isAwayFromHere(lane, scene)))
      .map((lane) => history.names.now(thingOfResource(lane, places))),
  );
}

/** Whether a task, or the task of a comment, is archived or has its issue out of reach. */
export function isPutAway(record: string, scene: Scene): boolean {
  const { archived = false, belongsTo = "" } = scene.records.get(record) ?? {};
  const task = belongsTo.startsWith("tasks:") ? belongsTo : record;
  return archived || scene.records.get(task)?.archived === true || isDetached(task, scene);
}

/** Whether the issue of a task went out of reach. */
export function isDetached(task: string, { ledger }: Scene): boolean {
  const own = ledger.lanes.filter((lane) => thingOfRecord(lane) === task);
  const isAlive = own.some(({ tombstone }) => tombstone === null);
  return !isAlive && own.some((lane) => placeOutOfReach(lane.tombstone) !== null && !hasLeft(lane));
}

/**
 * Whether a comment rightly stays below its task's former issue: that issue was deleted, or the task is
 * archived until it is restored. An unsent comment may also wait in the connection from which the issue
 * went out of reach.
 */
function staysBelow(
  { connectionId, externalId, recordType, recordId }: Lane,
  scene: Scene,
): boolean {
  const task = scene.records.get(thingOfRecord({ recordType, recordId }))?.belongsTo ?? "";
  const isArchived = scene.records.get(task)?.archived === true;
  return scene.ledger.lanes.some(
    (each) =>
      thingOfRecord(each) === task &&
      each.tombstone !== null &&
      (each.connectionId === connectionId ||
        (externalId === null &&
          placeOutOfReach(each.tombstone) !== null &&
          each.moved?.connection === connectionId)) &&
      (!isEndedByRecord(each.tombstone) || isArchived) &&
      !hasLeft(each),
  );
}

/** Whether a resource that went out of reach is connected again while its record has no counterpart. */
function isBackWithoutRecord(now: string, { recordType, recordId }: Lane, scene: Scene): boolean {
  const resource = scene.resources.get(now);
  if (resource === undefined || resource.isOutside === true) return false;
  const name = thingOfRecord({ recordType, recordId });
  const isPaired = scene.ledger.lanes.some(
    (each) => each.tombstone === null && thingOfRecord(each) === name,
  );
  // A comment of an archived task returns with the task.
  return scene.records.has(name) && !isPaired && !isPutAway(name, scene);
}

/** Each record has its resource in its connection, and no other open one, unless people reopened it. */
export function misplaced(scene: Scene): readonly string[] {
  const { ledger, places, records, resources, history } = scene;
  const found: string[] = [];
  for (const lane of ledger.lanes) {
    const name = `${thingOfResource(lane, places)} and ${thingOfRecord(lane)}`;
    const record = records.get(thingOfRecord(lane));
    if (lane.tombstone === null) {
      if (record !== undefined && isAwayFromHere(lane, scene) && !staysBelow(lane, scene)) {
        const where = placeOf(thingOfRecord(lane), scene)?.repository ?? "nowhere";
        found.push(`${name} are paired, and the record belongs to ${where}`);
      }
      continue;
    }
    const now = history.names.now(thingOfResource(lane, places));
    if (
      placeOutOfReach(lane.tombstone) !== null &&
      !hasLeft(lane) &&
      isBackWithoutRecord(now, lane, scene)
    ) {
      found.push(`${name}: taken for moved out of reach, and it is ${now}`);
    }
    if (!hasLeft(lane)) continue;
    // If its former resource was deleted, the record has another one, or had one that is gone by now.
    const isBack = ledger.lanes.some(
      (each) =>
        !isEndedByRecord(each.tombstone) &&
        each.connectionId === lane.connectionId &&
        !hasLeft(each) &&
        thingOfRecord(each) === thingOfRecord(lane),
    );
    const isHere = record !== undefined && !isPutAway(thingOfRecord(lane), scene);
    if (isHere && !isAwayFromHere(lane, scene) && !isBack) {
      found.push(`${name}: the record was taken for moved away, and it belongs here`);
    }
    const resource = resources.get(thingOfResource(lane, places));
    const isOpen = lane.resourceType === "issue" ? resource?.says.state === "open" : false;
    if (isOpen && !history.reopened.has(thingOfResource(lane, places))) {
      found.push(`${name}: the record was moved away, and the issue is open`);
    }
  }
  return found;
}
