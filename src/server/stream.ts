/** The live ledger: server-sent events, made by comparing the newest events with what was sent. */
import type { TandemCore } from "../compose.ts";
import type { ApiStatus } from "./api-types.ts";
import { representEvent } from "./represent.ts";

const NEWEST = 200;
const LOOK_EVERY_MS = 400;

/** Streams events as they are born and move, and the status when it changes. */
export function streamLedger(
  core: TandemCore,
  signal: AbortSignal,
  statusOf: () => Promise<ApiStatus>,
): Response {
  const encoder = new TextEncoder();
  const sent = new Map<string, string>();
  let status = "";
  let stop: () => void = () => undefined;

  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      let ended = false;
      let cancelTimer: () => void = () => undefined;
      stop = () => {
        ended = true;
        cancelTimer();
      };
      // Whoever reads may leave while we look; a stream that they have left cannot be closed.
      const close = () => {
        if (ended) return;
        stop();
        controller.close();
      };
      signal.addEventListener("abort", close);
      const send = (event: string, data: string) => {
        if (!ended) controller.enqueue(encoder.encode(`event: ${event}\ndata: ${data}\n\n`));
      };
      async function look(): Promise<void> {
        const events = await core.services.store.ledger.events({ limit: NEWEST });
        for (const event of [...events].reverse()) {
          const data = JSON.stringify(representEvent(event));
          if (sent.get(event.id) === data) continue;
          sent.set(event.id, data);
          send("ledger", data);
        }
        const listed = new Set<string>(events.map((event) => event.id));
        for (const id of sent.keys()) if (!listed.has(id)) sent.delete(id);
        const { now, ...rest } = await statusOf();
        if (JSON.stringify(rest) === status) return;
        status = JSON.stringify(rest);
        send("status", JSON.stringify({ now, ...rest }));
      }
      const again = (): void => {
        if (ended) return;
        cancelTimer = core.services.clock.setTimer(LOOK_EVERY_MS, () => {
          // The database is out of reach for now: the page shows that it is not live.
          void look().then(again, close);
        });
      };
      await look();
      again();
    },
    cancel() {
      stop();
    },
  });
  return new Response(stream, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  });
}
