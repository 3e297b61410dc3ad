/**
 * The receiver's queue: what arrives while a statement is on its way is stored by the next one.
 *
 * 1. A delivery is answered when the statement that stored it has committed, and never before.
 * 2. One that comes alone is stored at once; nobody waits for company.
 * 3. What the database refuses is halved until the delivery it refuses is alone: the others are stored.
 * 4. Where the database itself is in trouble everybody is told so, and nothing is tried again here.
 */
import type { DeliveryStore } from "../../store/deliveries.ts";
import { concernsAll } from "./failures.ts";

type Received = Parameters<DeliveryStore["receive"]>[0][number];
type Stored = Awaited<ReturnType<DeliveryStore["receive"]>>[number];

/** Stores one delivery, perhaps with others; rejects where it was not stored. */
export type StoreDelivery = (delivery: Received) => Promise<Stored>;

export interface ReceiverLimits {
  /** Statements on their way at once: while the database works on one, the next is gathered. */
  readonly statements: number;
  /** Deliveries in one statement. */
  readonly deliveries: number;
  /** Characters of payload in one statement, unless a single delivery has more. */
  readonly characters: number;
  /** Characters of payload that may wait: a database that stands still must not fill our memory. */
  readonly waiting: number;
}

const LIMITS: ReceiverLimits = {
  statements: 2,
  deliveries: 100,
  characters: 4 * 1_024 ** 2,
  waiting: 128 * 1_024 ** 2,
};

/** More waits to be stored than memory should hold. */
export class ReceiverFullError extends Error {
  override readonly name = "ReceiverFullError";
  constructor() {
    super("the database takes webhooks more slowly than they come; too many wait to be stored");
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

  /** What came first goes first. */
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

/** Never rejects: each of the batch is told its own outcome. */
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
