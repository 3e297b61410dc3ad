/** Every pairing of one mapping in a connection, a page in a transaction. */
import type { ConnectionId } from "../../model/ids.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Services } from "../services/index.ts";

type PairedPage = Awaited<ReturnType<StoreTransaction["findPairedLanes"]>>;

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
    after = await store.transaction(async (tx) => {
      const page = await tx.findPairedLanes(connection, mapped, cursor, size);
      await visit(tx, page);
      return page.length < size ? null : (page.at(-1)?.recordId ?? null);
    });
  } while (after !== null);
}
