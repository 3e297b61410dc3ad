/**
 * The receiver's queue: deliveries that arrive while a statement is in progress are stored by the next one.
 *
 * 1. A delivery is answered only after the statement that stored it has committed.
 * 2. The first delivery is stored immediately: it never waits for others to join.
 * 3. If the database refuses a batch, bisection finds the bad delivery, and the others are stored.
 * 4. If the database itself is in trouble, every caller gets the error, and nothing is retried here.
 */
import type { DeliveryStore } from "../../store/deliveries.ts";
import { concernsAll } from "../failures/index.ts";

type Received = Parameters<DeliveryStore["receive"]>[0][number];
type Stored = Awaited<ReturnType<DeliveryStore["receive"]>>[number];

/** Stores one delivery, possibly in a batch; rejects if it was not stored. */
export type StoreDelivery = (delivery: Received) => Promise<Stored>;

export interface ReceiverLimits {
  /** The number of concurrent statements: while the database runs one, the next batch is collected. */
  readonly statements: number;
  /** The largest number of deliveries in one statement. */
  readonly deliveries: number;
  /** The largest number of payload characters in one statement, unless a single delivery has more. */
  readonly characters: number;
  /** The largest number of payload characters that wait: a database that hangs must not fill the memory. */
  readonly waiting: number;
}

const LIMITS: ReceiverLimits = {
  statements: 2,
  deliveries: 100,
  characters: 4 * 1_024 ** 2,
  waiting: 128 * 1_024 ** 2,
};

/** More deliveries wait than the memory should hold. */
export class ReceiverFullError extends Error {
  override readonly name = "ReceiverFullError";
  constructor() {
    super("the database stores webhooks more slowly than they arrive; too many wait to be stored");
  }
}

interface Waiting {
  readonly delivery: Received;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: unknown) => void;
}

export function receiveInBatches(
  receive: DeliveryStore["receive"],
  limits: ReceiverLimits = LIMITS,
): StoreDelivery {
  let waiting: Waiting[] = [];
  let waitingCharacters = 0;
  let statements = 0;

  /** Takes the next batch, oldest first. */
  function nextBatch(): readonly Waiting[] {
    let count = 0;
    let characters = 0;
    for (const { delivery } of waiting) {
      characters += delivery.payload.length;
      if (count === limits.deliveries || (count > 0 && characters > limits.characters)) break;
      count += 1;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingCharacters -= charactersOf(batch);
    return batch;
  }

  async function storeWaiting(): Promise<void> {
    statements += 1;
    while (waiting.length > 0) await storeBatch(receive, nextBatch());
    statements -= 1;
  }

  return (delivery) =>
    new Promise((resolve, reject) => {
      const characters = waitingCharacters + delivery.payload.length;
      if (waiting.length > 0 && characters > limits.waiting) {
        reject(new ReceiverFullError());
        return;
      }
      waiting.push({ delivery, resolve, reject });
      waitingCharacters = characters;
      if (statements < limits.statements) void storeWaiting();
    });
}

/** Stores a batch. Never rejects: each delivery's promise gets its own outcome. */
async function storeBatch(
  receive: DeliveryStore["receive"],
  batch: readonly Waiting[],
): Promise<void> {
  try {
    const stored = await receive(batch.map(({ delivery }) => delivery));
    batch.forEach(({ resolve, reject }, index) => {
      const own = stored[index];
      if (own === undefined) reject(new Error("the delivery was not stored"));
      else resolve(own);
    });
  } catch (error) {
    if (batch.length === 1 || concernsAll(error)) {
      for (const { reject } of batch) reject(error);
      return;
    }
    const half = Math.ceil(batch.length / 2);
    await storeBatch(receive, batch.slice(0, half));
    await storeBatch(receive, batch.slice(half));
  }
}

function charactersOf(batch: readonly Waiting[]): number {
  return batch.reduce((sum, { delivery }) => sum + delivery.payload.length, 0);
}
