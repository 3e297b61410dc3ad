/** Where the counterparts of records are, and what became of those that their records have left. */
import type { Lane } from "../../model/lane.ts";
import { type ConnectedSite, thingOfRecord, thingOfResource } from "./places.ts";
import type { Scene } from "./scene.ts";

/** A pairing that ended since its record was moved to another connection. */
export function hasLeft({ tombstone }: Lane): boolean {
  return tombstone?.recordMoved !== undefined;
}

/** Where a record belongs; `null` where nothing is connected. */
export function placeOf(
  record: string,
  { records, places }: Pick<Scene, "records" | "places">,
): ConnectedSite | null {
  const { belongsTo = "" } = records.get(record) ?? {};
  if (belongsTo.startsWith("tasks:")) return placeOf(belongsTo, { records, places });
  return places.find(({ project }) => project === belongsTo) ?? null;
}

/** Whether a lane's record belongs elsewhere. */
export function isAwayFromHere(lane: Lane, scene: Scene): boolean {
  return placeOf(thingOfRecord(lane), scene)?.connection !== lane.connectionId;
}

/** What records have left, or were archived in, by its present name: it says what it said, and they go on elsewhere. */
export function leftBehindBy(scene: Scene): Set<string> {
  const { ledger, places, history } = scene;
  return new Set(
    ledger.lanes
      .filter((lane) => hasLeft(lane) || (lane.tombstone !== null && isAwayFromHere(lane, scene)))
      .map((lane) => history.names.now(thingOfResource(lane, places))),
  );
}

/** Whether a task, or what a comment belongs to, is archived, or has its issue out of reach. */
export function isPutAway(record: string, scene: Scene): boolean {
  const { archived = false, belongsTo = "" } = scene.records.get(record) ?? {};
  const task = belongsTo.startsWith("tasks:") ? belongsTo : record;
  return archived || scene.records.get(task)?.archived === true || isDetached(task, scene);
}

/** Whether the issue of a task went where nothing is connected. */
export function isDetached(task: string, { ledger }: Scene): boolean {
  const own = ledger.lanes.filter((lane) => thingOfRecord(lane) === task);
  const isAlive = own.some(({ tombstone }) => tombstone === null);
  return !isAlive && own.some((lane) => lane.tombstone?.movedTo !== undefined && !hasLeft(lane));
}

/**
 * A comment stays where its task's issue was deleted, wherever the task goes then; or the task is archived,
 * until it is taken back. One that is unsent waits where that issue came from, if it went on out of reach.
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
          each.tombstone.movedTo !== undefined &&
          each.moved?.connection === connectionId)) &&
      (each.tombstone.side === "resource" || isArchived) &&
      !hasLeft(each),
  );
}

/** Whether what was taken out of reach is connected again, and its record has no counterpart. */
function isBackWithoutRecord(now: string, { recordType, recordId }: Lane, scene: Scene): boolean {
  const resource = scene.resources.get(now);
  if (resource === undefined || resource.isOutside === true) return false;
  const name = thingOfRecord({ recordType, recordId });
  const isPaired = scene.ledger.lanes.some(
    (each) => each.tombstone === null && thingOfRecord(each) === name,
  );
  // A comment whose task is archived comes back together with it.
  return scene.records.has(name) && !isPaired && !isPutAway(name, scene);
}

/** A record has its resource where it belongs, and nothing else of it is open, unless people said so. */
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
      lane.tombstone.movedTo !== undefined &&
      !hasLeft(lane) &&
      isBackWithoutRecord(now, lane, scene)
    ) {
      found.push(`${name}: taken for moved out of reach, and it is ${now}`);
    }
    if (!hasLeft(lane)) continue;
    // Where its former resource was deleted, it has another by now, or had one until that was gone.
    const isBack = ledger.lanes.some(
      (each) =>
        (each.tombstone === null || each.tombstone.side === "resource") &&
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
