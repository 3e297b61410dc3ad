/** The end of a history: do both sides agree, was anything lost, doubled, or left behind? */
import type { Reason } from "../../model/event.ts";
import type { Lane } from "../../model/lane.ts";
import { misattributed } from "./authors.ts";
import { bothSides } from "./both-ends.ts";
import type { LedgerView } from "./ledger-view.ts";
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
import { OUR_LOGINS, thingOfRecord, thingOfResource } from "./places.ts";
import { type Ending, type Scene, text } from "./scene.ts";

/** What holds of every history, each by its name. */
export const INVARIANTS = {
  behind: "One poll later, before any sweep, whatever is alive on both sides says the same.",
  differing: "Record, base, cached copy and resource say the same in the end.",
  lost: "Every edit is in the final value, or was seen by who wrote over it, or is named in a conflict.",
  duplicates: "A record has one resource, a resource one record; nothing is there twice.",
  misplaced:
    "A record has its resource where it belongs; what it left is closed, and is no pairing.",
  misattributed:
    "A record names who wrote it, once they have signed up as well; so does the line above what we posted.",
  revived: "What was deleted stays deleted, on both sides.",
  stuck: "After a restart of what had failed every event has ended, every write is drained.",
  overdue: "Nothing waits longer than leases and backoff last, unless it has failed for good.",
  concurrent: "One event of a lane is processed at a time.",
  trespasses: "Who has lost a claim changes nothing of its lane.",
  illegal: "Events are born into and move between states as the design says; none vanishes.",
  unaccounted: "Every webhook that was answered 2xx is kept and translated.",
  restless: "Where nothing happens nothing is asked, and a poll and a sweep write nothing.",
  chatty: "The calls are bounded by what people did and by what went wrong.",
} as const;

export type Invariant = keyof typeof INVARIANTS;

/** By invariant, what breaks it, in words. */
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
    unaccounted: unaccounted(scene),
    restless: ending.restless,
    chatty: chatty(scene),
  };
}

/** What differs where both sides are there: a poll alone sees that, and a sweep what is missing. */
export async function behindIn(
  ending: Pick<Ending, "world" | "github" | "places" | "sites" | "history" | "ledger">,
): Promise<readonly string[]> {
  const scene = { ...ending, ...(await bothSides(ending)) };
  return ending.ledger.lanes
    .filter((lane) => lane.tombstone === null && !isMoot(lane, ending.ledger))
    .flatMap((lane) => differencesOf(lane, scene));
}

/** Record, base, cached copy and resource say the same where a pairing is alive. */
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

/** How the sides of a pairing differ, where both are there. */
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
  // What people opened at GitHub belongs to them in the app; what we opened, to whom it did.
  const isOurs = resource.by !== null && OUR_LOGINS.has(resource.by);
  if (!isOurs && record.by !== resource.by) {
    differing.push(`${name}: by ${text(resource.by)}, not ${text(record.by)}`);
  }
  return differing;
}

/** Also what we say on a surplus issue when we close it is a comment of nobody's. */
const MOOT: readonly Reason[] = ["parent_deleted", "surplus", "record_moved"];

/** What belongs to something that was deleted has no counterpart to wait for; the ledger says so. */
function isMoot(lane: Lane, { events }: LedgerView): boolean {
  if (lane.recordId !== null && lane.externalId !== null) return false;
  return events.some(({ laneId, reason }) => laneId === lane.id && MOOT.includes(reason));
}

/** Deleted stays deleted, on both sides. */
function revived(scene: Scene): readonly string[] {
  const { ledger, places, records, resources, history } = scene;
  const found: string[] = [];
  for (const lane of ledger.lanes) {
    // What a record has left is another matter.
    if (lane.tombstone === null || hasLeft(lane)) continue;
    const name = `${thingOfResource(lane, places)} and ${thingOfRecord(lane)}`;
    const record = records.get(thingOfRecord(lane));
    const resource = resources.get(thingOfResource(lane, places));
    const isIssue = lane.resourceType === "issue";
    if (lane.tombstone.side === "resource") {
      if (resource !== undefined)
        found.push(`${name}: taken for deleted at GitHub, and it is there`);
      // What was taken elsewhere lives; where it is by now is judged on its own.
      if (lane.tombstone.movedTo !== undefined) continue;
      // Taken back by the app, it has another issue by now.
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
      found.push(`${name}: the record was taken for deleted, and it is there`);
    }
    if (resource === undefined) continue;
    const open = isIssue ? resource.says.state === "open" : true;
    if (open && !history.reopened.has(thingOfResource(lane, places))) {
      found.push(`${name}: the record was deleted, and the resource is there`);
    }
  }
  return found;
}

/** Whatever is alive has one living counterpart. */
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
    // Below what a record has left nothing is listened to.
    if (lanes.length === 0 && (isSurplus === true || left.has(belongsTo))) continue;
    found.push(`${name} has ${String(lanes.length)} pairings`);
  }
  return found;
}

/** A comment that was never sent, for its task's counterpart was gone. */
function isOrphan(name: string, lanes: readonly Lane[]): boolean {
  return name.startsWith("comments:") && !lanes.some((lane) => thingOfRecord(lane) === name);
}

/** Every title and every comment is somebody's own words, so no two living things say the same. */
function sameTwice(scene: Scene): readonly string[] {
  const { records, resources, ledger, places } = scene;
  const found: string[] = [];
  const left = leftBehindBy(scene);
  // Transferred untold, what was left is taken in like anything else.
  const again = ledger.lanes.filter(({ tombstone }) => tombstone === null);
  for (const lane of again)
    if (left.has(thingOfResource(lane, places))) left.add(thingOfRecord(lane));
  for (const things of [records, resources]) {
    const seen = new Map<string, string>();
    for (const [name, { says, isSurplus, isOutside, belongsTo = "" }] of things) {
      // What was taken out of reach may have been made anew where its record is.
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

/** Events that did not end, and captured writes. */
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

/** Webhooks that were accepted and are not kept, or not translated. */
function unaccounted({ ledger, github, watch }: Scene): readonly string[] {
  const accepted = github.deliveries.filter(({ state }) => state === "delivered");
  const guids = new Set(accepted.map(({ guid }) => guid));
  // One that was answered too late counts as failed at GitHub, and is kept all the same.
  const { stored, untranslated } = ledger.deliveries;
  return [
    ...[...guids].filter((guid) => !watch.received.has(guid)).map((guid) => `${guid} is not kept`),
    ...(stored >= watch.received.size
      ? []
      : [`${String(watch.received.size)} webhooks stored, ${String(stored)} kept`]),
    ...(untranslated === 0 ? [] : [`${String(untranslated)} webhooks are not translated`]),
  ];
}

/** What a short history may ask beside one call for each cause. */
const CALLS_TO_SPARE = 6;
/** Polls and sweeps read lists, and so does who looks for its own lost create. */
const LIST = /\/(issues|comments)$/;

/**
 * A call has a cause of its own: what somebody did at either side, a call that failed, a worker that died or
 * stood still. Lists are read by the clock, and so do not count.
 */
function chatty({ requests, happenings }: Scene): readonly string[] {
  const calls = requests.filter(({ method, path }) => method !== "GET" || !LIST.test(path));
  const failed = calls.filter(({ status }) => status === null || status >= 400).length;
  const causes = happenings + failed;
  if (calls.length <= CALLS_TO_SPARE + causes) return [];
  return [`${String(calls.length)} calls for ${String(causes)} causes`];
}
