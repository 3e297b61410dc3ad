/** A race that takes a moment: something commits between a look at records and the look at their captured writes. */
import type { Store, StoreTransaction } from "../../src/store/store.ts";

/** The store, where `meanwhile` happens once, before captured writes are looked at first. */
export function beforePeek(store: Store, meanwhile: () => Promise<unknown>): Store {
  let isFirst = true;
  return {
    ...store,
    transaction: (work, beginning) =>
      store.transaction((tx, seen) => {
        const raced: StoreTransaction = {
          ...tx,
          changes: {
            ...tx.changes,
            async peek(recordType, recordIds) {
              if (isFirst) {
                isFirst = false;
                await meanwhile();
              }
              return tx.changes.peek(recordType, recordIds);
            },
          },
        };
        return work(raced, seen);
      }, beginning),
  };
}
