/** The report of one simulated history, and of many: counts that can be added. */
import { type Failpoint, FAILPOINTS } from "../src/runtime/services/failpoints.ts";
import { ALL_TURNS, type Turn, TURNS } from "../src/testing/simulation/history/history.ts";
import {
  NO_REMOTE_EDITS,
  type RemoteEditCounts,
} from "../src/testing/simulation/history/remote-edits.ts";
import type { WorldKind } from "../src/testing/simulation/world/places.ts";
import type { SimulationResult } from "../src/testing/simulation/simulate.ts";
import { type Invariant, INVARIANTS } from "../src/testing/simulation/judge/verdict.ts";

export interface SeedReport {
  readonly seed: number;
  readonly edits: number;
  readonly apiCalls: number;
  readonly remote: RemoteEditCounts;
  readonly deaths: readonly Failpoint[];
  readonly turns: readonly Turn[];
  /** The violations of each invariant; invariants that hold are left out. */
  readonly broken: Partial<Readonly<Record<Invariant, readonly string[]>>>;
  /** How a second run differed; `null` if it did not, or there was none. */
  readonly toldDifferently: string | null;
}

/** Counts over histories. */
export interface Totals {
  seeds: number;
  converged: number;
  edits: number;
  apiCalls: number;
  remoteEdits: number;
  /** The remote edits that were overwritten unread, and the causes of that. */
  overwrittenUnread: number;
  withinRoundTrip: number;
  behindStaleRead: number;
  /** In addition: lost with a resource that was deleted for its record. */
  deletedUnread: number;
  /** In addition: undone by people before any read. */
  takenBackUnread: number;
  deaths: number;
  /** How often a worker died at each failpoint. */
  deathsAt: Record<Failpoint, number>;
  /** How often each rare happening occurred; in a moving world only. */
  turns: Record<Turn, number>;
  toldTwice: number;
  toldDifferently: number;
  /** How many histories broke each invariant. */
  broken: Record<Invariant, number>;
}

const POINTS = Object.keys(FAILPOINTS) as readonly Failpoint[];

export const NAMES = Object.keys(INVARIANTS) as readonly Invariant[];

/** One seed in this many runs twice, and must give the same history. */
export const TWICE_EVERY = 100;

export function reportOf(result: SimulationResult, toldDifferently: string | null): SeedReport {
  const { seed, edits, apiCalls, remote, deaths, turns, verdict } = result;
  const broken = NAMES.filter((name) => verdict[name].length > 0);
  return {
    ...{ seed, edits, apiCalls, remote, deaths, turns, toldDifferently },
    broken: Object.fromEntries(broken.map((name) => [name, verdict[name]])),
  };
}

const COUNTS = Object.keys(NO_REMOTE_EDITS) as readonly (keyof RemoteEditCounts)[];

export function nothing(): Totals {
  const broken = Object.fromEntries(NAMES.map((name) => [name, 0])) as Totals["broken"];
  const counts = { seeds: 0, converged: 0, edits: 0, apiCalls: 0, deaths: 0 };
  const deathsAt = Object.fromEntries(POINTS.map((point) => [point, 0])) as Totals["deathsAt"];
  const turns = Object.fromEntries(ALL_TURNS.map((turn) => [turn, 0])) as Totals["turns"];
  return {
    ...counts,
    ...NO_REMOTE_EDITS,
    deathsAt,
    turns,
    toldTwice: 0,
    toldDifferently: 0,
    broken,
  };
}

export function totalOf(reports: readonly SeedReport[], twiceEvery: number): Totals {
  const total = nothing();
  for (const { seed, edits, apiCalls, remote, deaths, turns, ...report } of reports) {
    const { broken, toldDifferently } = report;
    total.seeds += 1;
    total.converged += Number(Object.keys(broken).length === 0);
    total.edits += edits;
    total.apiCalls += apiCalls;
    for (const name of COUNTS) total[name] += remote[name];
    total.deaths += deaths.length;
    for (const point of deaths) total.deathsAt[point] += 1;
    for (const turn of turns) total.turns[turn] += 1;
    total.toldTwice += Number(seed % twiceEvery === 0);
    total.toldDifferently += Number(toldDifferently !== null);
    for (const name of NAMES) total.broken[name] += Number(broken[name] !== undefined);
  }
  return total;
}

export function add(to: Totals, more: Totals): void {
  for (const name of NAMES) to.broken[name] += more.broken[name];
  for (const point of POINTS) to.deathsAt[point] += more.deathsAt[point];
  for (const turn of ALL_TURNS) to.turns[turn] += more.turns[turn];
  for (const name of COUNTS) to[name] += more[name];
  for (const name of ["seeds", "converged", "edits", "apiCalls", "deaths"] as const) {
    to[name] += more[name];
  }
  to.toldTwice += more.toldTwice;
  to.toldDifferently += more.toldDifferently;
}

/** In this many histories at least one worker must die at each failpoint. */
const MANY = 2_000;
/** In this many histories each rare happening of their world must occur. */
const SOME = 400;

/** The deaths and happenings that are missing, in words, if there were enough histories for them. */
export function unmet(
  { seeds, deathsAt, turns }: Pick<Totals, "seeds" | "deathsAt" | "turns">,
  kind: WorldKind,
): readonly string[] {
  const survived = seeds < MANY ? [] : POINTS.filter((point) => deathsAt[point] === 0);
  const untaken = seeds < SOME ? [] : TURNS[kind].filter((turn) => turns[turn] === 0);
  return [
    ...survived.map((point) => `no worker died ${point.replace(":", " the ")}`),
    ...untaken.map((turn) => `this never happened: ${turn}`),
  ];
}

/** One remote edit in this many may be overwritten unread, within the round trip of the write. */
const READ_OF_EACH = 1_000;

/**
 * Whether remote edits were read before they were overwritten, as far as that is possible. Edits between our own
 * read and our write do not count, nor those that a lagging read did not show.
 */
export function isReadInTime({
  remoteEdits,
  overwrittenUnread,
  withinRoundTrip,
  behindStaleRead,
}: Omit<RemoteEditCounts, "deletedUnread" | "takenBackUnread">): boolean {
  return (
    overwrittenUnread === withinRoundTrip + behindStaleRead &&
    withinRoundTrip * READ_OF_EACH <= remoteEdits
  );
}

/** Whether all invariants held, and all rare cases occurred. */
export function isClean(total: Totals, kind: WorldKind): boolean {
  const { seeds, converged, toldDifferently } = total;
  const isHeld = kind !== "polling" || isReadInTime(total);
  return isHeld && converged === seeds && toldDifferently === 0 && unmet(total, kind).length === 0;
}
