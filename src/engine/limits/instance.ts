/**
 * Whose database this is. One that was restored from a backup, or copied to a staging host, must not
 * post: what it believes is old, or belongs to somebody else.
 *
 * One that was set back in place lives where it lived. Only who worked on it before can tell: it has seen
 * a beat of its own committed that the database does not know any more.
 */
import type { Content } from "../../model/content.ts";
import type { TandemEvent } from "../../model/event.ts";
import type { Attempt, Lane, PairingOff, Transition } from "../../model/lane.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import { disableLane, liveEvents, move, unchanged } from "../lane/index.ts";

export interface Instance {
  /** What the configuration or `TANDEM_INSTANCE_ID` calls this deployment; `null`: nothing. */
  readonly name: string | null;
  /** Where the database lives, told by its server and no part of a dump; `null`: not known. */
  readonly place: string | null;
}

/** What a database says of itself. */
export interface StoredInstance extends Instance {
  /** When it was first worked on here, or last approved. */
  readonly adoptedAt: Instant;
  /** Why it is known to have been set back; `null`: it is not. */
  readonly setBack: string | null;
}

/** What somebody who works on a database has seen it keep. */
export interface Beat {
  /** Whose beat it is; several processes of one host may share it. */
  readonly host: string;
  readonly at: Instant;
}

export type InstanceVerdict =
  | { readonly kind: "ours" }
  /** Seen for the first time, or more is known of it now. */
  | { readonly kind: "new" }
  | { readonly kind: "foreign"; readonly why: string };

/** Compares what a database says of itself with where it is found. */
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

/** A database that lost what it had committed. */
export const SET_BACK =
  "this database was set back: it was recovered to an earlier time, or a replica that lacked its last transactions took over";

/** A database keeps beats for longer, and those of hosts that are gone for ever it need not keep. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;

/**
 * What a beat that was seen, and that the database does not know, says of it. After an approval it says
 * nothing: whoever approved knew.
 */
export function missBeat(
  seen: Beat,
  { adoptedAt }: StoredInstance,
  now: Instant,
): "set_back" | "nothing" {
  return seen.at <= adoptedAt || addMillis(seen.at, REMEMBERED_MS) < now ? "nothing" : "set_back";
}

/** Why a record of a restored database is left alone until somebody enables it. */
export const CREATED_SINCE: PairingOff = {
  cause: "restored",
  why: "the database was restored: a resource may have been created for it after the backup; enable it if there is none",
};

/** Events of lanes in these states are taken up again. */
export const TAKEN_UP = ["queued", "errored", "disabled", "processing"] as const;

/** Texts are seldom edited beyond recognition within this time of their creation. */
const RECOGNISED_WITHIN_MS = 3_600_000;

/** A create that may have left though nothing says so: what it would have said, and a token that is not used yet. */
export interface LostCreate {
  readonly values: Content;
  readonly token: string;
}

/**
 * A lane of a database that was restored and approved. Whatever it wants to write looks at the
 * resource first. What it wants to create may exist by now under a token that nobody remembers: a record
 * that is young is looked for by what it says, and of an older one a person says whether it exists.
 *
 * @param create What the record says; `null`: that is not known.
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

/** Since when the record is there, or earlier: nothing can have been created for it before. */
function bornBy({ recordChangedAt }: Lane, waiting: readonly TandemEvent[]): Instant {
  const times = [...waiting.map(({ createdAt }) => createdAt), ...Object.values(recordChangedAt)];
  return times.reduce((earliest, at) => (at < earliest ? at : earliest));
}

/** As after a create whose answer was lost, and that had left without a token. */
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
