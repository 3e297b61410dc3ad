/**
 * The live ledger: server-sent events, made by comparing the newest events with those before.
 *
 * 1. One look serves all streams, so that many readers cost the database as much as one.
 * 2. A reader gets all that is in sight first, and then what changes.
 * 3. The number of streams is bounded, and a reader that takes nothing for a while is let go of.
 * 4. The stream of a login ends soon after its session.
 * 5. A look that fails ends every stream: the page then shows that it is not live, and comes back.
 */
import type { TandemCore } from "../compose.ts";
import type { ApiStatus } from "./api-types.ts";
import { tell } from "../runtime/services/index.ts";
import { problem } from "./problem.ts";
import { representEvent } from "./represent.ts";

const NEWEST = 200;
const LOOK_EVERY_MS = 400;
/** A proxy ends a connection on which nothing is said, and a reader that is gone shows only so. */
const SAY_SOMETHING_EVERY_MS = 15_000;
/** How long a reader may leave lying what it was sent. */
const PATIENCE_MS = 10_000;
/** How soon the stream of a session that has ended ends. */
const LOOK_AT_SESSIONS_EVERY_MS = 10_000;
/** More readers than a team has browser tabs. */
const MOST_STREAMS = 256;
const RETRY_AFTER_SECONDS = 5;

export interface LedgerFeed {
  /** A new stream, until the signal or its reader ends it. Rejects where the database cannot be read. */
  open(signal: AbortSignal, session?: string | null): Promise<Response>;
}

interface Reader {
  readonly send: (chunk: Uint8Array) => void;
  readonly end: () => void;
  /** The session of its login; `null`: it has none. */
  readonly session: string | null;
}

/** What a new reader is sent: the events in sight, oldest first, and the status. */
interface InSight {
  readonly events: ReadonlyMap<string, string>;
  readonly status: string;
  /** The status without the time, by which it is compared. */
  readonly standing: string;
}

export function createLedgerFeed(
  core: Pick<TandemCore, "services">,
  statusOf: () => Promise<ApiStatus>,
  mostStreams = MOST_STREAMS,
): LedgerFeed {
  const { clock, store, log } = core.services;
  const readers = new Set<Reader>();
  let opening = 0;
  let inSight: InSight | null = null;
  let looking: Promise<InSight> | null = null;
  let cancelTimer: () => void = () => undefined;
  let saidAt = clock.now();
  let sessionsSeenAt = clock.now();

  async function look(): Promise<InSight> {
    const listed = await store.ledger.events({ limit: NEWEST });
    const { now, ...rest } = await statusOf();
    const events = new Map(
      [...listed].reverse().map((event) => [event.id, JSON.stringify(representEvent(event))]),
    );
    const before = inSight;
    const standing = JSON.stringify(rest);
    const status = JSON.stringify({ now, ...rest });
    const news = [...events].filter(([id, data]) => before?.events.get(id) !== data);
    const lines = news.map(([, data]) => message("ledger", data));
    if (before?.standing !== standing) lines.push(message("status", status));
    const seen = { events, status, standing };
    inSight = seen;
    await endRevoked();
    tellAll(lines.join(""));
    return seen;
  }

  async function endRevoked(): Promise<void> {
    const now = clock.now();
    const isDue = now - sessionsSeenAt >= LOOK_AT_SESSIONS_EVERY_MS * 1_000;
    if (!isDue || ![...readers].some(({ session }) => session !== null)) return;
    sessionsSeenAt = now;
    const living = new Set((await store.sessions.list()).map(({ id }) => id));
    for (const reader of [...readers]) {
      if (reader.session !== null && !living.has(reader.session)) reader.end();
    }
  }

  /** Those that wait for a look share it. */
  function lookOnce(): Promise<InSight> {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  }

  function tellAll(text: string): void {
    const now = clock.now();
    const said = text === "" && now - saidAt >= SAY_SOMETHING_EVERY_MS * 1_000 ? ":\n\n" : text;
    if (said === "") return;
    saidAt = now;
    const chunk = encoder.encode(said);
    for (const reader of [...readers]) reader.send(chunk);
  }

  function again(): void {
    cancelTimer();
    if (readers.size === 0) return;
    cancelTimer = clock.setTimer(LOOK_EVERY_MS, () => {
      lookOnce().then(again, (error: unknown) => {
        log.warn(tell(error), "the ledger could not be read; its streams end");
        for (const reader of [...readers]) reader.end();
      });
    });
  }

  /** What is in sight is as old as the last look, which none makes while nobody reads. */
  async function snapshot(): Promise<InSight> {
    if (readers.size > 0 && inSight !== null) return inSight;
    inSight = null;
    return lookOnce();
  }

  /** @param seen What was in sight when it was asked for; since then there may have been another look. */
  function streamTo(
    signal: AbortSignal,
    seen: InSight,
    session: string | null,
  ): ReadableStream<Uint8Array> {
    let leave: () => void = () => undefined;
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          let takenAt = clock.now();
          const reader: Reader = {
            session,
            send(chunk) {
              const now = clock.now();
              // Nothing lies here that was not taken, since a stream holds nothing back of its own.
              if (controller.desiredSize === 0) takenAt = now;
              if (now - takenAt > PATIENCE_MS * 1_000) reader.end();
              else controller.enqueue(chunk);
            },
            end() {
              leave();
              controller.close();
            },
          };
          // A stream that was left, or ended, can be neither written nor closed.
          leave = () => {
            signal.removeEventListener("abort", reader.end);
            readers.delete(reader);
            if (readers.size === 0) cancelTimer();
          };
          signal.addEventListener("abort", reader.end);
          const { events, status } = inSight ?? seen;
          const first = [...events.values()].map((data) => message("ledger", data));
          first.push(message("status", status));
          controller.enqueue(encoder.encode(first.join("")));
          readers.add(reader);
          if (signal.aborted) reader.end();
          else if (readers.size === 1) again();
        },
        cancel: () => leave(),
      },
      { highWaterMark: 0, size: (chunk) => chunk.byteLength },
    );
  }

  return {
    async open(signal, session = null) {
      if (readers.size + opening >= mostStreams) return refuse(mostStreams);
      opening += 1;
      try {
        const seen = await snapshot();
        return new Response(streamTo(signal, seen, session), { headers: HEADERS });
      } finally {
        opening -= 1;
      }
    },
  };
}

const encoder = new TextEncoder();

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

function message(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`;
}

function refuse(most: number): Response {
  const refusal = problem(
    503,
    "too_many_streams",
    `${String(most)} streams of the ledger are open, and no more are served`,
    "Close dashboards that nobody looks at; the page tries again by itself.",
  );
  refusal.headers.set("retry-after", String(RETRY_AFTER_SECONDS));
  return refusal;
}
