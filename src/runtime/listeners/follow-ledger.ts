/**
 * Following the ledger: polls the newest events for changes that other processes made. A state that lasted less than
 * one interval is missed, and so are events that a burst pushed beyond the newest ones.
 */
import type { LedgerEvent } from "../../store/ledger.ts";
import { type Announcement, announcementsSince } from "./announce.ts";
import { messageOf } from "../failures/index.ts";
import type { Services } from "../services/index.ts";

const NEWEST = 200;
const LOOK_EVERY_MS = 400;

type Seen = Pick<LedgerEvent, "state" | "conflicts">;

/** Polls until stopped. Events of the first poll are not reported. */
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
    // An event older than the oldest of the previous poll is not new, although it was not in that poll.
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
      services.log.warn({ error: messageOf(error) }, "the ledger could not be read");
    }
    again();
  }

  void lookAndGoOn();
  return () => {
    stopped = true;
    cancelTimer();
  };
}
