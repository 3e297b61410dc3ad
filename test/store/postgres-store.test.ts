/** The Postgres store, on Postgres and on PGlite, against what every store must do. */
import { expect, it } from "vitest";
import { describeOnEachDatabase } from "../harness/databases.ts";
import {
  decideIn,
  issueKey,
  openStore,
  present,
  readLane,
  type StoreOptions,
  TABLES,
} from "./opened-store.ts";
import { sqlRecordsConformance } from "./sql-record-conformance.ts";
import { storeConformance } from "./store-conformance.ts";

describeOnEachDatabase("the store", (open) => {
  const opened = async ({ tables, ...options }: StoreOptions = {}) =>
    openStore(await open(), {
      ...options,
      tables: tables === undefined ? TABLES : `${TABLES};${tables.sql}`,
    });
  storeConformance(opened);

  it("runs a decision again where a lane of the same resource was made meanwhile", async () => {
    const { store, connection } = await opened();
    const key = { ...issueKey(connection, ""), externalId: null, recordId: "1" };
    const [id] = await store.transaction((tx) => tx.ensureLanes([key]));
    let runs = 0;
    await store.transaction(async (tx) => {
      runs += 1;
      const known = await tx.findLanesByResource(connection, "issue", ["9"]);
      // As if it was made by somebody else behind the look.
      if (runs === 1) await tx.ensureLanes([issueKey(connection, "9")]);
      await decideIn(tx, present(id), () => (known.length === 0 ? { externalId: "9" } : {}));
    });
    expect(runs).toBe(2);
    expect(await readLane(store, present(id))).toMatchObject({ externalId: "9" });
  });

  sqlRecordsConformance(opened);
});
