/** The verdict on a history's end: do both sides agree, and was anything lost, doubled, or left behind? */
import type { Reason } from "../../../model/event.ts";
import type { Lane } from "../../../model/lane.ts";
import { isEndedByResource, placeOutOfReach } from "../../../model/tombstone.ts";
import { misattributed } from "./authors.ts";
import { bothSides } from "./both-ends.ts";
import type { LedgerView } from "../history/index.ts";
import { lostCopies, lostEdits, lostLabels } from "./lost.ts";
import {
  hasLeft,
  isAwayFromHere,
  isDetached,
  isPutAway,
  leftBehindBy,
  misplaced,
  placeOf,
} from "./misplaced.ts";
import { OUR_LOGINS, thingOfRecord, thingOfResource } from "../world/index.ts";
import { type Ending, type Scene, text } from "./scene.ts";
import { untidy } from "./untidy.ts";

/** The properties of every history, by name. */
export const INVARIANTS = {
  behind:
    "One poll later, before any sweep, pairings with both sides present have the same content.",
  differing: "Record, base, cached copy and resource have the same content in the end.",
  lost: "Every edit is in the final value, or was seen by the person who overwrote it, or is named in a conflict.",
  duplicates: "A record has one resource, a resource has one record, and no content exists twice.",
  misplaced:
    "A record has its resource in its connection; a resource that it left is closed and unpaired.",
  misattributed:
    "A record names its author, also after the author signs up; so does the line above a posted text.",
  revived: "Deleted records and resources stay deleted, on both sides.",
  stuck: "After a restart of errored events, every event has ended and every write is drained.",
  overdue: "No event waits longer than leases and backoff last, unless it is errored.",
  concurrent: "One event of a lane is processed at a time.",
  trespasses: "A worker that has lost a claim changes nothing in its lane.",
  illegal:
    "Events are created in, and move between, the states that the design allows; none vanishes.",
  untidy: "No wait, request, lease or error of finished work is left on a lane or an event.",
  unaccounted: "Every webhook that was answered 2xx is kept and translated.",
  restless: "Without changes Tandem makes no request, and a poll and a sweep write nothing.",
  chatty: "The number of calls is bounded by the acts of people and the faults.",
} as const;

export type Invariant = keyof typeof INVARIANTS;

/** The violations of each invariant, in words. */
export type Verdict = Readonly<Record<Invariant, readonly string[]>>;

/** Whether no invariant is broken. */
export function isUpheld(verdict: Verdict): boolean {
  return Object.values(verdict).every((broken) => broken.length === 0);
}

/** Judges a history that has come to rest. */
export async function judgeHistory(ending: Ending): Promise<Verdict> {
  const scene: Scene = { ...ending, ...(await bothSides(ending)) };
  return {
    behind: ending.behind,
    differing: differences(scene),
    lost: [...lostEdits(scene), ...lostLabels(scene), ...lostCopies(scene)],
    duplicates: [...doubled(scene), ...sameTwice(scene)],
    misplaced: misplaced(scene),
    misattributed: misattributed(scene),
    revived: revived(scene),
    stuck: leftBehind(scene),
    overdue: ending.overdue,
    concurrent: ending.watch.concurrent,
    trespasses: ending.watch.trespasses,
    illegal: ending.watch.illegal,
    untidy: untidy(scene.ledger),
    unaccounted: unaccounted(scene),
    restless: ending.restless,
    chatty: chatty(scene),
  };
}

/** Differences in pairings with both sides present: a poll must find them; missing sides need a sweep. */
export async function behindIn(
  ending: Pick<Ending, "world" | "github" | "places" | "sites" | "history" | "ledger">,
): Promise<readonly string[]> {
  const scene = { ...ending, ...(await bothSides(ending)) };
  return ending.ledger.lanes
    .filter((lane) => lane.tombstone === null && !isMoot(lane, ending.ledger))
    .flatMap((lane) => differencesOf(lane, scene));
}

/** Differences between record, base, cached copy and resource of all active pairings. */
function differences(scene: Scene): readonly string[] {
  return scene.ledger.lanes
    .filter((lane) => lane.tombstone === null && !isMoot(lane, scene.ledger))
    .flatMap((lane) => {
      const missing = (side: string) => [`${nameOf(lane, scene)}: the ${side} is missing`];
      if (!scene.records.has(thingOfRecord(lane))) return missing("record");
      if (!scene.resources.has(thingOfResource(lane, scene.places))) return missing("resource");
      return differencesOf(lane, scene);
    });
}

function nameOf(lane: Lane, { places }: Pick<Scene, "places">): string {
  return `${thingOfResource(lane, places)} and ${thingOfRecord(lane)}`;
}

/** Differences of one pairing, if both sides are present. */
function differencesOf(
  lane: Lane,
  scene: Pick<Scene, "places" | "records" | "resources">,
): readonly string[] {
  const name = nameOf(lane, scene);
  const record = scene.records.get(thingOfRecord(lane));
  const resource = scene.resources.get(thingOfResource(lane, scene.places));
  if (record === undefined || resource === undefined) return [];
  const differing = record.archived
    ? [`${name}: the record is archived, the pairing is alive`]
    : [];
  for (const [field, value] of Object.entries(resource.says)) {
    const sides = [record.says[field], lane.base?.[field], lane.copy?.[field]];
    if (sides.every((side) => text(side) === text(value))) continue;
    differing.push(
      `${name}: ${field} is ${text(value)}; record, base, copy ${sides.map(text).join(", ")}`,
    );
  }
  // An issue that a person opened has that person as its author in the app.
  const isOurs = resource.by !== null && OUR_LOGINS.has(resource.by);
  if (!isOurs && record.by !== resource.by) {
    differing.push(`${name}: by ${text(resource.by)}, not ${text(record.by)}`);
  }
  return differing;
}

/** Reasons for a lane without a counterpart. `surplus` covers our own comment on a closed surplus issue. */
const MOOT: readonly Reason[] = ["parent_deleted", "surplus", "record_moved"];

/** A child of a deleted parent gets no counterpart; the ledger has an event that says so. */
function isMoot(lane: Lane, { events }: LedgerView): boolean {
  if (lane.recordId !== null && lane.externalId !== null) return false;
  return events.some(({ laneId, reason }) => laneId === lane.id && MOOT.includes(reason));
}

/** Deleted records or resources that exist again. */
function revived(scene: Scene): readonly string[] {
  const { ledger, places, records, resources, history } = scene;
  const found: string[] = [];
  for (const lane of ledger.lanes) {
    // Resources that a record has left are judged elsewhere.
    if (lane.tombstone === null || hasLeft(lane)) continue;
    const name = `${thingOfResource(lane, places)} and ${thingOfRecord(lane)}`;
    const record = records.get(thingOfRecord(lane));
    const resource = resources.get(thingOfResource(lane, places));
    const isIssue = lane.resourceType === "issue";
    if (isEndedByResource(lane.tombstone)) {
      if (resource !== undefined)
        found.push(`${name}: treated as deleted at GitHub, but it exists`);
      // A transferred resource exists; its new place is judged by its present lane.
      if (placeOutOfReach(lane.tombstone) !== null) continue;
      // If the app restored the record, it has another issue by now.
      const isBack = ledger.lanes.some(
        (each) => each.tombstone === null && thingOfRecord(each) === thingOfRecord(lane),
      );
      const isElsewhere = isAwayFromHere(lane, scene) || isDetached(thingOfRecord(lane), scene);
      if (isIssue && record !== undefined && !record.archived && !isBack && !isElsewhere) {
        found.push(`${name}: deleted at GitHub, and the record is not archived`);
      }
      continue;
    }
    if (record !== undefined && !record.archived && !isAwayFromHere(lane, scene)) {
      found.push(`${name}: the record was treated as deleted, but it exists`);
    }
    if (resource === undefined) continue;
    const open = isIssue ? resource.says.state === "open" : true;
    if (open && !history.reopened.has(thingOfResource(lane, places))) {
      found.push(`${name}: the record was deleted, but the resource exists`);
    }
  }
  return found;
}

/** Records and resources without exactly one active counterpart. */
function doubled(scene: Scene): readonly string[] {
  const { ledger, places, records, resources } = scene;
  const found: string[] = [];
  const left = leftBehindBy(scene);
  const alive = ledger.lanes.filter(({ tombstone }) => tombstone === null);
  const ended = ledger.lanes.filter((lane) => lane.tombstone !== null && !hasLeft(lane));
  for (const name of records.keys()) {
    const count = alive.filter((lane) => thingOfRecord(lane) === name).length;
    const detached = ended.some((lane) => thingOfRecord(lane) === name);
    const isNowhere = isOrphan(name, ledger.lanes) || placeOf(name, scene) === null;
    const moot = count === 0 && (detached || isNowhere || isPutAway(name, scene));
    if (count !== 1 && !moot) found.push(`record ${name} has ${String(count)} pairings`);
  }
  for (const [name, { isSurplus, isOutside, belongsTo = "" }] of resources) {
    if (isOutside === true) continue;
    const lanes = ledger.lanes.filter((lane) => thingOfResource(lane, places) === name);
    if (lanes.length === 1) continue;
    // Comments below a resource that its record has left are not synced.
    if (lanes.length === 0 && (isSurplus === true || left.has(belongsTo))) continue;
    found.push(`${name} has ${String(lanes.length)} pairings`);
  }
  return found;
}

/** Whether a comment was never sent because its task's counterpart was gone. */
function isOrphan(name: string, lanes: readonly Lane[]): boolean {
  return name.startsWith("comments:") && !lanes.some((lane) => thingOfRecord(lane) === name);
}

/** Each title and each comment is written once, so two active things with the same text are duplicates. */
function sameTwice(scene: Scene): readonly string[] {
  const { records, resources, ledger, places } = scene;
  const found: string[] = [];
  const left = leftBehindBy(scene);
  // A left resource whose transfer was not reported is admitted as a new one, and its record repeats its text.
  const again = ledger.lanes.filter(({ tombstone }) => tombstone === null);
  for (const lane of again)
    if (left.has(thingOfResource(lane, places))) left.add(thingOfRecord(lane));
  for (const things of [records, resources]) {
    const seen = new Map<string, string>();
    for (const [name, { says, isSurplus, isOutside, belongsTo = "" }] of things) {
      // A resource out of reach may have a recreated counterpart at its record's place.
      if (isSurplus === true || isOutside === true) continue;
      if (left.has(name) || (things === resources && left.has(belongsTo))) continue;
      const words = text(says.title ?? says.body);
      const other = seen.get(words);
      if (other !== undefined) found.push(`${other} and ${name} both say ${words}`);
      seen.set(words, name);
    }
  }
  return found;
}

/** Events that did not end, and captures that were not drained. */
function leftBehind({ ledger }: Scene): readonly string[] {
  const live = ledger.lanes.flatMap((lane) => lane.live);
  return [
    ...live.map(
      ({ direction, action, state, reason, error, laneId }) =>
        `lane ${laneId}: ${direction} ${action} ${state} ${reason} ${error?.code ?? ""}`,
    ),
    ...(ledger.undrained === 0 ? [] : [`${String(ledger.undrained)} captured writes`]),
  ];
}

/** Accepted webhooks that are not stored, or not translated. */
function unaccounted({ ledger, github, watch }: Scene): readonly string[] {
  const accepted = github.deliveries.filter(({ state }) => state === "delivered");
  const guids = new Set(accepted.map(({ guid }) => guid));
  // A webhook that was answered too late counts as failed at GitHub, but is stored.
  const { stored, untranslated } = ledger.deliveries;
  return [
    ...[...guids].filter((guid) => !watch.received.has(guid)).map((guid) => `${guid} is not kept`),
    ...(stored >= watch.received.size
      ? []
      : [`${String(watch.received.size)} webhooks stored, ${String(stored)} kept`]),
    ...(untranslated === 0 ? [] : [`${String(untranslated)} webhooks are not translated`]),
  ];
}

/** Calls that a history may make in addition to one per cause. */
const CALLS_TO_SPARE = 6;
/** Lists, which polls, sweeps, and searches for a lost create read. */
const LIST = /\/(issues|comments)$/;

/**
 * Each call needs a cause of its own: an act of a person, a failed call, or a worker that died or stalled.
 * Lists are read on a schedule, so they do not count.
 */
function chatty({ requests, happenings }: Scene): readonly string[] {
  const calls = requests.filter(({ method, path }) => method !== "GET" || !LIST.test(path));
  const failed = calls.filter(({ status }) => status === null || status >= 400).length;
  const causes = happenings + failed;
  if (calls.length <= CALLS_TO_SPARE + causes) return [];
  return [`${String(calls.length)} calls for ${String(causes)} causes`];
}
