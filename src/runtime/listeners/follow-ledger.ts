/**
 * Following the ledger: what other processes made of events, found by looking at the newest ones.
 * A state that lasted less than a look is not seen; neither is what a burst pushed out of sight.
 */
import type { LedgerEvent } from "../../store/ledger.ts";
import { type Announcement, announcementsSince } from "./announce.ts";
import { messageOf, type Services } from "../services/index.ts";

const NEWEST = 200;
const LOOK_EVERY_MS = 400;

type Seen = Pick<LedgerEvent, "state" | "conflicts">;

/** Looks until stopped; what was there at the first look is no news. */
export function followLedger(
  services: Pick<Services, "store" | "clock" | "log">,
  tell: (announcements: readonly Announcement[]) => void,
): () => void {
  let seen: ReadonlyMap<string, Seen> | null = null;
  let stopped = false;
  let cancelTimer: () => void = () => undefined;

  async function look(): Promise<void> {
    const events = await services.store.ledger.events({ limit: NEWEST, journal: "without" });
    const before = seen;
    seen = new Map(events.map((event) => [event.id, event]));
    if (before === null || stopped) return;
    // What was born before the oldest one in sight last time is old, however new it looks.
    const [oldest = ""] = [...before.keys()].sort();
    const news = [...events]
      .reverse()
      .filter((event) => before.has(event.id) || event.id > oldest)
      .flatMap((event) => announcementsSince(before.get(event.id) ?? null, event));
    tell(news);
  }

  function again(): void {
    if (stopped) return;
    cancelTimer = services.clock.setTimer(LOOK_EVERY_MS, () => void lookAndGoOn());
  }

  async function lookAndGoOn(): Promise<void> {
    try {
      await look();
    } catch (error) {
      services.log.warn({ error: messageOf(error) }, "the ledger could not be looked at");
    }
    again();
  }

  void lookAndGoOn();
  return () => {
    stopped = true;
    cancelTimer();
  };
}
