/**
 * Notifies this process's listeners of state changes of events, after their commit.
 *
 * 1. A transaction that was rolled back or retried notifies nothing.
 * 2. A listener that throws is logged, and disturbs neither processing nor other listeners.
 * 3. A listener is called at most once: a crash between commit and call loses the notification. Use an `afterCommit`
 *    hook for effects that must happen.
 */
import type { Conflict, EventError, EventState, TandemEvent } from "../../model/event.ts";
import type { Decided, Store, StoreTransaction } from "../../store/store.ts";
import type { LedgerEvent } from "../../store/ledger.ts";
import type { Log } from "../services/index.ts";
import { messageOf } from "../failures/index.ts";

/** An event as it is passed to listeners. */
export type HeardEvent = Omit<LedgerEvent, "resourceType" | "relation">;

export interface Moved {
  readonly event: HeardEvent;
}

export interface Errored extends Moved {
  readonly error: EventError;
}

export interface Conflicted extends Moved {
  /** The conflicts that this step added to the event. */
  readonly conflicts: readonly Conflict[];
}

/** The names to listen for: a state that an event enters, or a conflict. */
export interface Happenings extends Readonly<Record<Exclude<EventState, "errored">, Moved>> {
  readonly errored: Errored;
  readonly conflict: Conflicted;
}

export type Listener<Name extends keyof Happenings> = (
  happening: Happenings[Name],
) => void | Promise<void>;

/** One notification. */
export type Announcement = {
  readonly [Name in keyof Happenings]: { readonly name: Name; readonly what: Happenings[Name] };
}[keyof Happenings];

export interface Announcer {
  on<Name extends keyof Happenings>(name: Name, listener: Listener<Name>): () => void;
  announce(announcements: readonly Announcement[]): void;
}

export function createAnnouncer(log: Log): Announcer {
  const listeners = new Map<keyof Happenings, Set<(what: never) => unknown>>();

  async function tell({ name, what }: Announcement, listener: (what: never) => unknown) {
    try {
      await listener(what as never);
    } catch (thrown) {
      const event = what.event.id;
      log.error({ listener: name, event, error: messageOf(thrown) }, "a listener failed");
    }
  }

  return {
    on(name, listener) {
      const ofName = listeners.get(name) ?? new Set();
      listeners.set(name, ofName);
      // A function may listen twice, and each registration is stopped separately.
      const own = (what: never) => listener(what);
      ofName.add(own);
      return () => ofName.delete(own);
    },
    announce(announcements) {
      for (const announcement of announcements) {
        for (const listener of listeners.get(announcement.name) ?? [])
          void tell(announcement, listener);
      }
    },
  };
}

/** Wraps a store so that the decisions of its transactions are announced after their commit. */
export function observed(store: Store, announce: (decided: readonly Decided[]) => void): Store {
  return {
    ...store,
    async transaction(work, beginning) {
      let decided: Decided[] = [];
      const result = await store.transaction((tx, seen) => {
        decided = [];
        const noting: StoreTransaction = {
          ...tx,
          async saveLanes(saved) {
            await tx.saveLanes(saved);
            decided.push(...saved);
          },
        };
        return work(noting, seen);
      }, beginning);
      announce(decided);
      return result;
    },
  };
}

/** The state changes and conflicts that decisions made, in the order of the decisions. */
export function announcementsOf(decided: readonly Decided[]): readonly Announcement[] {
  return decided.flatMap(({ before, after }) =>
    [...after.ended, ...after.lane.live].flatMap((event) =>
      announcementsSince(before.live.find((candidate) => candidate.id === event.id) ?? null, event),
    ),
  );
}

/** The state changes and conflicts between two states of one event. */
export function announcementsSince(
  before: Pick<TandemEvent, "state" | "conflicts"> | null,
  event: HeardEvent,
): readonly Announcement[] {
  const announcements: Announcement[] = [];
  const conflicts = event.conflicts.slice(before?.conflicts.length ?? 0);
  if (conflicts.length > 0) announcements.push({ name: "conflict", what: { event, conflicts } });
  if (before?.state === event.state) return announcements;
  const { state, error } = event;
  if (state !== "errored") announcements.push({ name: state, what: { event } });
  else if (error !== null) announcements.push({ name: state, what: { event, error } });
  return announcements;
}
