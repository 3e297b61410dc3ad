/** How long a transaction waits for locks of others. */
import { expect, it } from "vitest";
import { waitingAtMost } from "../../src/store/postgres/driver/transaction-settings.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

describeOnEachEmptyDatabase("a transaction", (open) => {
  it("waits briefly for locks during one step of it, and afterwards as long as before", async () => {
    const database = await connectTo(await open());
    await database.transaction(async (tx) => {
      const patience = async () =>
        (await tx.query("select current_setting('lock_timeout') as patience")).rows[0];
      await tx.query("select set_config('lock_timeout', '7s', true)");

      expect(await waitingAtMost(tx, 20, patience)).toEqual({ patience: "20ms" });
      expect(await patience()).toEqual({ patience: "7s" });
    });
  });
});
