/**
 * The identity of a database. A database that was restored from a backup, or copied to a staging host, must not
 * post: its knowledge is outdated, or belongs to another deployment.
 *
 * A database that was set back in place keeps its address. Only a process that worked on it before can tell: it has
 * seen the commit of a heartbeat that the database no longer has.
 */
import type { Content } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import type { Attempt, Lane, PairingOff, Transition } from "../../model/lane.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import { disableLane, liveEvents, move, unchanged } from "../lane/index.ts";

export interface Instance {
  /** The deployment's name, from the configuration or `TANDEM_INSTANCE_ID`; `null`: none. */
  readonly name: string | null;
  /** The server's identity, which is no part of a dump; `null`: not known. */
  readonly place: string | null;
}

/** The identity that is stored in the database. */
export interface StoredInstance extends Instance {
  /** When a worker first used it here, or a person last approved it. */
  readonly adoptedAt: Instant;
  /** How it is known that the database was set back; `null`: it was not. */
  readonly setBack: string | null;
}

/** A heartbeat whose commit a process has seen. */
export interface Beat {
  /** The host that wrote it; several processes of one host may share it. */
  readonly host: string;
  readonly at: Instant;
}

export type InstanceVerdict =
  | { readonly kind: "ours" }
  /** The database is seen for the first time, or more is known about it now. */
  | { readonly kind: "new" }
  | { readonly kind: "foreign"; readonly why: string };

/** Compares the stored identity with this process's name and the database's server. */
export function judgeInstance(stored: StoredInstance | null, here: Instance): InstanceVerdict {
  if (stored === null) return { kind: "new" };
  if (stored.name !== null && stored.name !== here.name) {
    const given = here.name === null ? "no instance id" : `the instance id ${here.name}`;
    return {
      kind: "foreign",
      why: `this database belongs to the instance ${stored.name}, and this process has ${given}`,
    };
  }
  if (stored.place !== null && here.place !== null && stored.place !== here.place) {
    return {
      kind: "foreign",
      why: "this database is a copy: it was restored from a backup, or moved, since it was last worked on",
    };
  }
  if (stored.setBack !== null) return { kind: "foreign", why: stored.setBack };
  const isKnown = stored.name === here.name && (stored.place !== null || here.place === null);
  return { kind: isKnown ? "ours" : "new" };
}

/** Why a database that lost committed transactions must not be used. */
export const SET_BACK =
  "this database was set back: it was recovered to an earlier time, or a replica that lacked its last transactions took over";

/** The database keeps heartbeats at least this long. An older one may have been removed. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;

/**
 * Decides about a heartbeat whose commit was seen and that the database does not have. One from before an approval
 * proves nothing: the person who approved knew of it.
 */
export function missBeat(
  seen: Beat,
  { adoptedAt }: StoredInstance,
  now: Instant,
): "set_back" | "nothing" {
  return seen.at <= adoptedAt || addMillis(seen.at, REMEMBERED_MS) < now ? "nothing" : "set_back";
}

/** Why a pairing of a restored database stays switched off until a person enables it. */
export const CREATED_SINCE: PairingOff = {
  cause: "restored",
  why: "the database was restored: a resource may have been created for it after the backup; enable it if there is none",
};

/** The states of events that are prepared again after an approval. */
export const TAKEN_UP = ["queued", "errored", "disabled", "processing"] as const;

/** A text is rarely edited beyond recognition within this time after its creation. */
const RECOGNISED_WITHIN_MS = 3_600_000;

/** A create that may have been sent after the backup: the values it would have had, and an unused token. */
export interface LostCreate {
  readonly values: Content;
  readonly token: string;
}

/**
 * Prepares a lane of a database that was restored and approved. Every write must read its resource first. A create
 * may have happened after the backup under an unknown token: the resource of a young record is searched by content.
 * For an older record a person must decide, so its pairing is switched off.
 *
 * @param create The record's values; `null` if they are not known.
 */
export function takeUpAgain(lane: Lane, now: Instant, create: LostCreate | null): Transition {
  const [first, ...others] = TAKEN_UP.flatMap((state) =>
    liveEvents(lane, state, "outbound"),
  ).filter(({ action }) => action === "upsert");
  if (first === undefined) return unchanged(lane);
  const waiting = [first, ...others];
  if (lane.externalId === null && lane.intent === null && lane.disabled === null) {
    const since = bornBy(lane, waiting);
    if (create === null || addMillis(since, RECOGNISED_WITHIN_MS) < now) {
      return disableLane(lane, CREATED_SINCE, now);
    }
    return unchanged(lookForCreated(lane, first, create, since));
  }
  return waiting.reduce(
    (transition, { id, state }) => move(transition, id, state, now, { reread: true }),
    unchanged(lane),
  );
}

/** A time at or before the record's creation: no resource can have been created for it before. */
function bornBy({ recordChangedAt }: Lane, waiting: readonly TandemEvent[]): Instant {
  const times = [...waiting.map(({ createdAt }) => createdAt), ...Object.values(recordChangedAt)];
  return times.reduce((earliest, at) => (at < earliest ? at : earliest));
}

/** The lane in the state after an unmarked create whose answer was lost, so that the read-back searches for it. */
function lookForCreated(
  lane: Lane,
  event: TandemEvent,
  { values, token }: LostCreate,
  since: Instant,
): Lane {
  const attempt: Attempt = {
    event: event.id,
    kind: "create",
    values,
    base: {},
    clockAt: null,
    sentAt: since,
    epoch: lane.epoch,
  };
  return { ...lane, intent: { token, since, tokenless: true }, attempt };
}
