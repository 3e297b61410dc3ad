/**
 * Micro-batches: items that arrive while a batch is in progress form the next batch.
 *
 * 1. The first item starts immediately: it never waits for others to join.
 * 2. Each kind has one batch in progress; other kinds run in parallel.
 */

/** The largest number of items in a batch. */
const MOST = 50;

/** Handles a batch, and returns the items that it has handled. A rejection means that all have failed. */
export type HandleBatch<Item> = (items: readonly Item[]) => Promise<ReadonlySet<Item>>;

export interface MicroBatcher<Item> {
  /** Adds an item; resolves to `false` if the batch did not handle it, so that it must be handled singly. */
  add(kind: string, item: Item, handleBatch: HandleBatch<Item>): Promise<boolean>;
}

interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: (done: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export function createMicroBatcher<Item>(): MicroBatcher<Item> {
  const queues = new Map<string, Waiting<Item>[]>();

  async function work(kind: string, waiting: Waiting<Item>[], handleBatch: HandleBatch<Item>) {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MOST);
      try {
        const done = await handleBatch(batch.map(({ item }) => item));
        for (const { item, resolve } of batch) resolve(done.has(item));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    queues.delete(kind);
  }

  return {
    add: (kind, item, handleBatch) =>
      new Promise((resolve, reject) => {
        const own = { item, resolve, reject };
        const waiting = queues.get(kind);
        if (waiting !== undefined) {
          waiting.push(own);
          return;
        }
        const first = [own];
        queues.set(kind, first);
        void work(kind, first, handleBatch);
      }),
  };
}
