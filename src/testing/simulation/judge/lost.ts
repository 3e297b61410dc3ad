/** Edits that disappeared without a trace: neither final, nor superseded, nor named in a conflict. */
import type { Json } from "../../../model/content.ts";
import type { Conflict, Reason } from "../../../model/event.ts";
import type { LedgerEvent } from "../../../store/ledger.ts";
import type { Edit, Side } from "../history/index.ts";
import { hasLeft } from "./misplaced.ts";
import { thingOfRecord, thingOfResource } from "../world/index.ts";
import { type Scene, text, type Thing } from "./scene.ts";

const AFTER_DELETION: readonly Reason[] = ["tombstoned", "record_missing", "surplus"];

/**
 * An edit is lost if it was its side's last edit of the field, but that side shows another value. Two cases are
 * not lost: a person who had seen the edit overwrote it, or a conflict names it.
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

/** Only the edit's own side is compared; other invariants compare the two sides of a pairing. */
function isKept({ thing, field, value, side }: Edit, scene: Scene): boolean {
  return (
    sayerOf(side, thing, scene)?.says[field] === value || isTakenOver(side, thing, value, scene)
  );
}

/**
 * If one issue gets two records, Tandem removes one of them. Its sent values are in the issue, and so in the
 * record that stays. Each value is written once, so the same value is the same edit.
 */
function isTakenOver(side: Side, thing: string, value: string, scene: Scene): boolean {
  const { records, history } = scene;
  if (side === "resource" || records.has(thing) || history.deleted.has(thing)) return false;
  return [...records.values()].some(({ says }) => Object.values(says).includes(value));
}

/** The thing that must show an edit. For a resource that its record has left, that is the record. */
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
    // "So are the unsent edits of a record that is deleted": sent values were visible at GitHub.
    return deleted !== undefined && (!deleted.paired || history.wasShown(value));
  }
  if (deleted !== undefined) return true;
  // Row 3: a change that follows a deletion is ignored, and the ledger keeps its content. "A paired record
  // that is missing counts as deleted."
  const tombstoned = ledger.events.some(
    (event) =>
      AFTER_DELETION.includes(endOf(event, ledger.events).reason) &&
      Object.values(event.content ?? {}).some((said) => said === value),
  );
  // A list that shows a tombstoned resource again creates no event (decision 7).
  const lane = ledger.lanes.find((each) => thingOfResource(each, places) === thing);
  // "A remote edit under our own write whose webhook is also lost" has no promise.
  return (
    tombstoned ||
    !history.wasTold(value, lane !== undefined && (lane.tombstone === null || hasLeft(lane)))
  );
}

/** The final event that decides: the event itself, or the newer one that canceled it in the end. */
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

/** A thing that a person created must have a record, even with our marker, unless a person deleted it. */
export function lostCopies({ history, ledger, places }: Scene): readonly string[] {
  const taken = new Set(ledger.lanes.map((lane) => thingOfResource(lane, places)));
  return [...history.copies]
    .filter(([name]) => !taken.has(name))
    .filter(([name, issue]) => !history.deleted.has(name) && !history.deleted.has(issue))
    .map(([name]) => `${name}, which a person created, was treated as surplus`);
}

/** Each added label must be present, unless a person removed it; then it must be absent. */
export function lostLabels(scene: Scene): readonly string[] {
  const { history, ledger } = scene;
  const lost: string[] = [];
  const conflicts = conflictsOf(ledger.events).filter(({ field }) => field === "labels");
  for (const [label, { side, thing, removed }] of history.labels) {
    const now = sayerOf(side, thing, scene);
    // Labels of a deleted or archived thing no longer matter.
    if (now === undefined || now.archived) continue;
    const isThere = has(now.says.labels, label);
    if (isThere === (removed === null)) continue;
    // A label removed from an issue that was then deleted does not matter: its task has another issue by now.
    if (removed?.side === "resource" && history.deleted.has(removed.thing)) continue;
    // A label that an issue lost out of reach, or on its way there, does not matter to the record.
    if (removed?.side === "resource" && isOutside(removed.thing, scene)) continue;
    // Row 3 again: the ledger keeps the content that an issue had after its pairing had ended.
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
    // "A remote revert to base while an answer is lost" has no promise; removing the label was such a revert.
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
