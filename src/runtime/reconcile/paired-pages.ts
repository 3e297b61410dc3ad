/** Every pairing of one mapping in a connection, a page in a transaction. */
import type { ConnectionId } from "../../model/ids.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { FoundLane, StoreTransaction } from "../../store/store.ts";
import type { Services } from "../services/index.ts";

type PairedPage = readonly FoundLane<{ readonly kind: "with_record" }>[];

/** @param size The number of pairings that one transaction visits. */
export async function visitPaired(
  { store }: Pick<Services, "store">,
  connection: ConnectionId,
  { recordType, resource }: Mapping,
  size: number,
  visit: (tx: StoreTransaction, page: PairedPage) => Promise<void>,
): Promise<void> {
  const mapped = { recordType, resourceType: resource.type };
  let after: string | null = null;
  do {
    const cursor: string | null = after;
    after = await store.transaction(async (tx): Promise<string | null> => {
      const page: PairedPage = await tx.findLanes({
        kind: "with_record",
        connectionId: connection,
        ...mapped,
        after: cursor,
        limit: size,
      });
      await visit(tx, page);
      return page.length < size ? null : (page.at(-1)?.recordId ?? null);
    });
  } while (after !== null);
}
