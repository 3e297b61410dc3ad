/**
 * The loads: as fast as a server answers, or at given times regardless of the responses. They run in the
 * harness's own process, which is idle otherwise.
 */
import { makeWork, type WorkOptions } from "../harness/work.ts";
import { wallMillis } from "./clock.ts";
import { type Connection, openConnection } from "./connection.ts";
import { requestOf, signatureOf } from "./webhook.ts";

export interface Target {
  readonly port: number;
  readonly path: string;
}

export interface FullLoad extends Target {
  readonly connections: number;
  readonly bytes: number;
  /** The time for the warm-up, then the measured time. */
  readonly warmUpMs: number;
  readonly millis: number;
}

export interface FullLoadResult {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** The number of 2xx responses. */
  readonly accepted: number;
  /** The other responses by status. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Each connection sends its next webhook after the response to the one before. */
export async function fullLoad(input: FullLoad): Promise<FullLoadResult> {
  const { port, path, connections, bytes, warmUpMs, millis } = input;
  const bodies = makeWork({ spread: "uniform", events: 500, bytes }).map(({ text }) =>
    Buffer.from(text),
  );
  const signed = bodies.map((body) => ({ body, signature: signatureOf(body) }));
  const opened = await Promise.all(Array.from({ length: connections }, () => openConnection(port)));
  const millisTaken: number[] = [];
  const refused: Record<string, number> = {};
  let sent = 0;
  let accepted = 0;
  const begins = performance.now() + warmUpMs;
  const ends = begins + millis;

  async function keepSending(connection: Connection): Promise<void> {
    for (;;) {
      const sentAt = performance.now();
      if (sentAt >= ends) return;
      const one = signed[sent % signed.length];
      if (one === undefined) return;
      const key = keyOf(sent);
      sent += 1;
      const status = await connection.send(requestOf(path, key, one.body, one.signature));
      const now = performance.now();
      if (status >= 200 && status < 300) accepted += 1;
      else refused[String(status)] = (refused[String(status)] ?? 0) + 1;
      if (sentAt >= begins && now < ends) millisTaken.push(now - sentAt);
    }
  }

  await Promise.all(opened.map(keepSending));
  for (const connection of opened) connection.close();
  const sorted = millisTaken.sort((a, b) => a - b);
  return {
    perSecond: (sorted.length * 1_000) / millis,
    ...percentilesOf(sorted),
    ...{ accepted, refused },
  };
}

export interface Arrivals extends Target {
  readonly work: WorkOptions;
  readonly perSecond: number;
}

export interface ArrivalsResult {
  /** The due time of each webhook, in the work's order. */
  readonly dueAt: readonly number[];
  readonly refused: number;
}

/** A timer's own delay can reach this; a longer delay means that the sender stalled, and is counted. */
const TIMER_STEP_MS = 1.5;

/**
 * Webhooks are sent at their due times, on as many connections as that needs. A server that stalls also gets
 * those of the meantime, and the latency of each counts from its due time.
 */
export async function arrivals(input: Arrivals): Promise<ArrivalsResult> {
  const { port, path, work, perSecond } = input;
  const requests = makeWork(work).map(({ key, text }) => {
    const body = Buffer.from(text);
    return requestOf(path, key, body, signatureOf(body));
  });
  const idle = await Promise.all(Array.from({ length: 32 }, () => openConnection(port)));
  const all = [...idle];
  const dueAt: number[] = [];
  let refused = 0;

  async function send(request: Buffer): Promise<void> {
    let connection = idle.pop();
    while (connection?.isOpen === false) connection = idle.pop();
    if (connection === undefined) {
      connection = await openConnection(port);
      all.push(connection);
    }
    const status = await connection.send(request);
    if (status < 200 || status >= 300) refused += 1;
    idle.push(connection);
  }

  const began = wallMillis() + 20;
  const answers: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const sendDue = () => {
      const now = wallMillis();
      for (;;) {
        const request = requests[dueAt.length];
        const due = began + (dueAt.length * 1_000) / perSecond;
        if (request === undefined) {
          resolve();
          return;
        }
        if (due > now) {
          setTimeout(sendDue, due - now);
          return;
        }
        dueAt.push(now - due < TIMER_STEP_MS ? wallMillis() : due);
        answers.push(send(request));
      }
    };
    sendDue();
  });
  await Promise.all(answers);
  for (const connection of all) connection.close();
  return { dueAt, refused };
}

export function percentilesOf(sorted: readonly number[]): {
  readonly p50: number;
  readonly p99: number;
} {
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

function keyOf(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}
