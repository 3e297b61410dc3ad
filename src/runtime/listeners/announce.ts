/**
 * Telling this process's listeners what became of events, once it was committed.
 *
 * 1. Nothing is told of a transaction that was rolled back, or that ran again.
 * 2. A listener that throws is logged and disturbs neither the work nor the other listeners.
 * 3. It is told at most once: a crash between commit and listener is not made up for. What must
 *    happen is an `afterCommit` hook.
 */
import type { Conflict, EventError, EventState, TandemEvent } from "../../model/event.ts";
import type { Decided, Store, StoreTransaction } from "../../store/store.ts";
import type { LedgerEvent } from "../../store/ledger.ts";
import { type Log, messageOf } from "../services/index.ts";

/** An event as listeners see it. */
export type HeardEvent = Omit<LedgerEvent, "resourceType" | "relation">;

export interface Moved {
  readonly event: HeardEvent;
}

export interface Errored extends Moved {
  readonly error: EventError;
}

export interface Conflicted extends Moved {
  /** What this step added to the event's conflicts. */
  readonly conflicts: readonly Conflict[];
}

/** What can be listened for: a state that events come into, or a conflict. */
export interface Happenings extends Readonly<Record<Exclude<EventState, "errored">, Moved>> {
  readonly errored: Errored;
  readonly conflict: Conflicted;
}

export type Listener<Name extends keyof Happenings> = (
  happening: Happenings[Name],
) => void | Promise<void>;

/** One thing to tell. */
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
      // The same function may listen twice; each stops by itself.
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

/** The store, with what its transactions decide told after their commit. */
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

/** What decisions did to events, in the order they were made. */
export function announcementsOf(decided: readonly Decided[]): readonly Announcement[] {
  return decided.flatMap(({ before, after }) =>
    [...after.ended, ...after.lane.live].flatMap((event) =>
      announcementsSince(before.live.find((candidate) => candidate.id === event.id) ?? null, event),
    ),
  );
}

/** What a later look at an event shows that the one before did not. */
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
