/**
 * What comes while something is under way is done with what comes besides, in one go.
 *
 * 1. What comes alone is done at once: nobody waits for company.
 * 2. Of a kind there is one at a time; other kinds go on beside it.
 */

/** At most so many in one go. */
const MOST = 50;

/** Does all of them at once, and returns those that it has done. Where it rejects, all have failed. */
export type HandleBatch<Item> = (items: readonly Item[]) => Promise<ReadonlySet<Item>>;

export interface MicroBatcher<Item> {
  /** `false` where the item was not done, and is to be done alone. */
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
