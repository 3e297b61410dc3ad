/** The facts about an app's table that Tandem reads before it reads or writes rows. */
import { expect, it } from "vitest";
import { MigrationError } from "../../src/store/database/migration-error.ts";
import { readTableShape } from "../../src/store/postgres/capture/table-shapes.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

describeOnEachEmptyDatabase("a database whose zone has no name, only an offset,", (open) => {
  it("has tables with such times refused until the configuration names the zone", async () => {
    const database = await connectTo(await open());
    await database.script(`
      create table notes (id bigint primary key, written timestamp);
      create table events (id bigint primary key, happened timestamptz)`);
    await database.transaction(async (tx) => {
      await tx.query("set local timezone to '<+0530>-05:30'");

      const refused: unknown = await readTableShape(tx, "notes").catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(MigrationError);
      expect(refused).toMatchObject({
        code: "time_zone_unknown",
        message:
          "notes keeps times without a zone, and the database's zone <+0530>-05:30 is no name of one",
        hint: 'Name the zone in which the app writes them in the configuration: timeZone: "Asia/Kolkata".',
      });
      const named = await readTableShape(tx, "notes", "Asia/Kolkata");
      expect(named?.columns.get("written")?.wall?.zone).toBe("Asia/Kolkata");
      // Its times say themselves when they are.
      expect((await readTableShape(tx, "events"))?.columns.get("happened")?.wall).toBeNull();
    });
  });
});
