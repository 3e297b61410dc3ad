/**
 * The live ledger: server-sent events, made by comparing the newest events with the snapshot before.
 *
 * 1. All streams share one snapshot, so many readers cost the database as much as one.
 * 2. A reader gets the whole snapshot first, and then the changes.
 * 3. The number of streams is bounded. A reader that takes nothing for a while is disconnected.
 * 4. The stream of a login ends soon after its session.
 * 5. A snapshot that fails ends every stream: the page shows that it is not live, and reconnects.
 */
import type { TandemCore } from "../../compose.ts";
import { type ApiStatus, problem, representEvent } from "../protocol/index.ts";
import { describeError } from "../../runtime/failures/index.ts";

const NEWEST = 200;
const LOOK_EVERY_MS = 400;
/** Proxies close a silent connection, and only writing reveals a reader that is gone. */
const SAY_SOMETHING_EVERY_MS = 15_000;
/** How long a reader may leave sent data unread. */
const PATIENCE_MS = 10_000;
/** How soon a stream ends after its session. */
const LOOK_AT_SESSIONS_EVERY_MS = 10_000;
/** More than the browser tabs of a team. */
const MOST_STREAMS = 256;
const RETRY_AFTER_SECONDS = 5;

export interface LedgerFeed {
  /** Opens a stream, until the signal or its reader ends it. Rejects if the database cannot be read. */
  open(signal: AbortSignal, session?: string | null): Promise<Response>;
}

interface Reader {
  readonly send: (chunk: Uint8Array) => void;
  readonly end: () => void;
  /** The session of its login; `null` without a login. */
  readonly session: string | null;
}

/** The first message for a new reader: the newest events, oldest first, and the status. */
interface InSight {
  readonly events: ReadonlyMap<string, string>;
  readonly status: string;
  /** The status without the time, for comparison. */
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

  /** Takes a snapshot, which concurrent callers share. */
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
        log.warn(describeError(error), "the ledger could not be read; its streams end");
        for (const reader of [...readers]) reader.end();
      });
    });
  }

  /** The last snapshot, if readers keep it fresh; otherwise a new one. */
  async function snapshot(): Promise<InSight> {
    if (readers.size > 0 && inSight !== null) return inSight;
    inSight = null;
    return lookOnce();
  }

  /** @param seen The snapshot at the time of the request; a newer one may exist by now. */
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
              // A full queue means that the reader took nothing: the stream has no buffer of its own.
              if (controller.desiredSize === 0) takenAt = now;
              if (now - takenAt > PATIENCE_MS * 1_000) reader.end();
              else controller.enqueue(chunk);
            },
            end() {
              leave();
              controller.close();
            },
          };
          // A stream that was canceled or closed accepts neither data nor a second close.
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
    `${String(most)} streams of the ledger are open, and that is the limit`,
    "Close dashboards that are not in use; the page reconnects automatically.",
  );
  refusal.headers.set("retry-after", String(RETRY_AFTER_SECONDS));
  return refusal;
}
