/** Edits that disappeared without a trace: neither final, nor superseded, nor named in a conflict. */
import type { Json } from "../../model/content.ts";
import type { Conflict, Reason } from "../../model/event.ts";
import type { LedgerEvent } from "../../store/ledger.ts";
import type { Edit, Side } from "./history.ts";
import { hasLeft } from "./misplaced.ts";
import { thingOfRecord, thingOfResource } from "./places.ts";
import { type Scene, text, type Thing } from "./scene.ts";

const AFTER_DELETION: readonly Reason[] = ["tombstoned", "record_missing", "surplus"];

/**
 * An edit is lost when it is the last of its side to a field, nobody wrote over it who had seen it,
 * it is not what its own side says now, and no conflict names it.
 */
export function lostEdits(scene: Scene): readonly string[] {
  const named = namedIn(scene);
  return scene.history
    .lastEdits()
    .filter((edit) => !isKept(edit, scene) && !named.has(edit.value) && !isExcused(edit, scene))
    .map(({ side, thing, field, value }) => {
      const now = (side === "record" ? scene.records : scene.resources).get(thing)?.says[field];
      return `${field} of ${thing} = ${value}; now ${text(now)}`;
    });
}

/** A pairing that is alive has the same on its other side, which is judged on its own. */
function isKept({ thing, field, value, side }: Edit, scene: Scene): boolean {
  return (
    sayerOf(side, thing, scene)?.says[field] === value || isTakenOver(side, thing, value, scene)
  );
}

/**
 * Of two records of one issue one goes, by nobody's wish. What was sent of it is what the issue says, and
 * so does the record that stays: a value is written once, so it is the same edit.
 */
function isTakenOver(side: Side, thing: string, value: string, scene: Scene): boolean {
  const { records, history } = scene;
  if (side === "resource" || records.has(thing) || history.deleted.has(thing)) return false;
  return [...records.values()].some(({ says }) => Object.values(says).includes(value));
}

/** Where an edit has to be seen: of what a record has left, at the record. */
function sayerOf(side: Side, thing: string, scene: Scene): Thing | undefined {
  const { records, resources, ledger, places, history } = scene;
  if (side === "record") return records.get(thing);
  const now = history.names.now(thing);
  const left = ledger.lanes.find((lane) => hasLeft(lane) && thingOfResource(lane, places) === now);
  return left === undefined ? resources.get(now) : records.get(thingOfRecord(left));
}

function isExcused({ side, thing, value }: Edit, scene: Scene): boolean {
  const { history, ledger, places } = scene;
  if (history.isSuperseded(value)) return true;
  const deleted = history.deleted.get(thing);
  if (side === "record") {
    // "So are the unsent edits of a record that is deleted": what was sent has been seen.
    return deleted !== undefined && (!deleted.paired || history.wasShown(value));
  }
  if (deleted !== undefined) return true;
  // Row 3: what comes after a deletion is ignored for it, and the ledger keeps what it said. "A
  // paired record that is missing counts as deleted."
  const tombstoned = ledger.events.some(
    (event) =>
      AFTER_DELETION.includes(endOf(event, ledger.events).reason) &&
      Object.values(event.content ?? {}).some((said) => said === value),
  );
  // A list that shows a tombstoned resource again makes no event (decision 7).
  const lane = ledger.lanes.find((each) => thingOfResource(each, places) === thing);
  // "A remote edit under our own write whose webhook is also lost" is promised nothing.
  return (
    tombstoned ||
    !history.wasTold(value, lane !== undefined && (lane.tombstone === null || hasLeft(lane)))
  );
}

/** What became of an event, or of the newer one that it was canceled by in the end. */
function endOf(event: LedgerEvent, events: readonly LedgerEvent[]): LedgerEvent {
  const newer = events.find(({ id }) => id === event.canceledBy);
  return newer === undefined ? event : endOf(newer, events);
}

function namedIn({ ledger }: Scene): ReadonlySet<unknown> {
  return new Set(conflictsOf(ledger.events).map(({ lost }) => lost));
}

function conflictsOf(
  events: readonly { readonly conflicts: readonly Conflict[] }[],
): readonly Conflict[] {
  return events.flatMap(({ conflicts }) => conflicts);
}

/** What people made is theirs, whatever marker is in it: it has a record, unless somebody deleted it. */
export function lostCopies({ history, ledger, places }: Scene): readonly string[] {
  const taken = new Set(ledger.lanes.map((lane) => thingOfResource(lane, places)));
  return [...history.copies]
    .filter(([name]) => !taken.has(name))
    .filter(([name, issue]) => !history.deleted.has(name) && !history.deleted.has(issue))
    .map(([name]) => `${name}, which a person made, was taken for surplus`);
}

/** A label that was added is there unless somebody took it away, and then it is not. */
export function lostLabels(scene: Scene): readonly string[] {
  const { history, ledger } = scene;
  const lost: string[] = [];
  const conflicts = conflictsOf(ledger.events).filter(({ field }) => field === "labels");
  for (const [label, { side, thing, removed }] of history.labels) {
    const now = sayerOf(side, thing, scene);
    // What its thing said when it was deleted is of no matter any more.
    if (now === undefined || now.archived) continue;
    const isThere = has(now.says.labels, label);
    if (isThere === (removed === null)) continue;
    // Nor what was taken off an issue that was deleted then, whose task has another by now.
    if (removed?.side === "resource" && history.deleted.has(removed.thing)) continue;
    // Nor, for the record, what an issue lost on its way out of reach, or says there.
    if (removed?.side === "resource" && isOutside(removed.thing, scene)) continue;
    // Row 3 again: the ledger keeps what an issue said after its pairing had ended.
    const kept = ledger.events.some(
      ({ reason, content, ...event }) =>
        AFTER_DELETION.includes(reason) &&
        (removed === null ||
          history.names.now(nameOf(event, scene)) === history.names.now(removed.thing)) &&
        Array.isArray(content?.labels) &&
        has(content.labels, label) === (removed === null),
    );
    if (kept) continue;
    const named = conflicts.some((conflict) => has(conflict.lost, label) === (removed === null));
    if (named) continue;
    // Nor is "a remote revert to base while an answer is lost": that is what taking it off was.
    if (removed?.side === "resource" && history.wasMissed(label)) continue;
    const told =
      removed === null
        ? side === "record" || history.wasToldLabel(label)
        : history.wasToldRemoval(label);
    if (told) lost.push(`label ${label} of ${thing} is ${isThere ? "back" : "gone"}`);
  }
  return lost;
}

function isOutside(thing: string, { resources, history }: Scene): boolean {
  return resources.get(history.names.now(thing))?.isOutside === true;
}

function nameOf(
  {
    connectionId,
    resourceType,
    externalId,
  }: Pick<LedgerEvent, "connectionId" | "resourceType" | "externalId">,
  { places }: Scene,
): string {
  return connectionId === null
    ? ""
    : thingOfResource({ connectionId, resourceType: resourceType ?? "", externalId }, places);
}

function has(value: Json | undefined, label: string): boolean {
  return Array.isArray(value) && value.includes(label);
}
