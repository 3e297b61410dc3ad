/** A store with listeners for changes by this process and, on request, by other processes. */
import type { Store } from "../../store/store.ts";
import {
  createAnnouncer,
  type Announcement,
  type Happenings,
  announcementsOf,
  type Listener,
  observed,
} from "./announce.ts";
import { followLedger } from "./follow-ledger.ts";
import type { Services } from "../services/index.ts";

/** How many of its own announcements a process remembers, so that the ledger's poll does not repeat them. */
const REMEMBERED = 2_000;

export function listenable(opened: Store, { clock, log }: Pick<Services, "clock" | "log">) {
  const own = createAnnouncer(log);
  const others = createAnnouncer(log);
  const told = new Set<string>();
  let following: { readonly stop: () => void; listeners: number } | null = null;

  const store = observed(opened, (decided) => {
    const announcements = announcementsOf(decided);
    if (following !== null) remember(announcements);
    own.announce(announcements);
  });

  function remember(announcements: readonly Announcement[]): void {
    for (const announcement of announcements) told.add(announcementKey(announcement));
    for (const key of told) {
      if (told.size <= REMEMBERED) break;
      told.delete(key);
    }
  }

  function follow(): () => void {
    following ??= {
      listeners: 0,
      stop: followLedger({ store, clock, log }, (announcements) => {
        others.announce(
          announcements.filter((announcement) => !told.has(announcementKey(announcement))),
        );
      }),
    };
    following.listeners += 1;
    return () => {
      if (following === null) return;
      following.listeners -= 1;
      if (following.listeners === 0) stopListening();
    };
  }

  function stopListening(): void {
    following?.stop();
    following = null;
    told.clear();
  }

  function on<Name extends keyof Happenings>(
    name: Name,
    listener: Listener<Name>,
    { everywhere = false }: { readonly everywhere?: boolean } = {},
  ): () => void {
    const stops = [own.on(name, listener)];
    if (everywhere) stops.push(others.on(name, listener), follow());
    return () => {
      for (const stop of stops.splice(0)) stop();
    };
  }

  return { store, on, stopListening };
}

/** The identity of an announcement: an event may enter the same state several times. */
function announcementKey({ name, what: { event } }: Announcement): string {
  return `${event.id} ${name} ${event.attempts} ${event.conflicts.length}`;
}
