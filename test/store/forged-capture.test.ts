/** A role that may write the app's tables, and nothing of Tandem's, can neither switch capture off nor forge it. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { anId, type OpenedSqlStore, openStore } from "./opened-store.ts";

describeOnEachDatabase("capture, and a writer without rights on Tandem's schema", (open) => {
  let opened: OpenedSqlStore;
  const captured = () => opened.store.transaction((tx) => tx.changes.take(1_000));
  const asWriter = (sql: string) =>
    opened.app.sql(`set role app_writer_of_tests; ${sql}; reset role`);

  beforeAll(async () => {
    opened = await openStore(await open());
    await opened.app.sql(`
      do $$ begin create role app_writer_of_tests; exception when duplicate_object then null; end $$;
      grant usage, create on schema public to app_writer_of_tests;
      grant all on all tables in schema public to app_writer_of_tests;
      grant all on all sequences in schema public to app_writer_of_tests`);
  });
  beforeEach(async () => {
    await opened.app.sql("truncate tasks restart identity");
    await opened.app.sql("insert into tasks (title) values ('A')");
    await captured();
  });

  describe("settings", () => {
    it("cannot say that the writer tells the drain itself", async () => {
      await asWriter(`
        set tandem.told_by = 'tasks';
        insert into tasks (title) values ('B');
        update tasks set title = 'C' where title = 'A';
        reset tandem.told_by`);
      expect(await captured()).toMatchObject([
        { recordId: "2", operation: "insert" },
        { recordId: "1", operation: "update", columns: ["title"] },
      ]);
    });

    it("cannot mark a write as Tandem's", async () => {
      await asWriter(`
        set tandem.origin = '${anId()}';
        update tasks set title = 'B';
        delete from tasks;
        reset tandem.origin`);
      expect(await captured()).toMatchObject([
        { operation: "update", origin: null },
        { operation: "delete", origin: null },
      ]);
    });

    it("mark nothing by what is no id of an event, whoever sets them", async () => {
      await opened.app.sql(
        "set tandem.origin = 'not an id'; update tasks set title = 'B'; reset tandem.origin",
      );
      expect(await captured()).toMatchObject([{ operation: "update", origin: null }]);
    });

    it("fail no writer whose role is gone, or odd", async () => {
      await opened.app.sql(`
        create role "Gone, soon"; grant all on all tables in schema public to "Gone, soon";
        set role "Gone, soon"; set tandem.origin = '${anId()}'; set tandem.told_by = 'tasks';
        update tasks set title = 'B';
        reset role; reset tandem.origin; reset tandem.told_by;
        drop owned by "Gone, soon"; drop role "Gone, soon"`);
      expect(await captured()).toMatchObject([{ operation: "update", origin: null }]);
    });
  });

  describe("the function of another table", () => {
    const attach = (table: string) => `
      do $$ declare captures text; begin
        select proname into captures from pg_proc where proname like 'capture\\_tasks\\_%';
        execute format('create trigger forged after insert or update or delete on ${table}
          for each row execute function tandem.%I()', captures);
      end $$`;

    it("may not be attached by it", async () => {
      await opened.app.sql("grant usage on schema tandem to app_writer_of_tests");
      await expect(
        asWriter(
          `create table forged (id bigint, title text, modified_at timestamptz); ${attach("forged")}`,
        ),
      ).rejects.toMatchObject({ code: "42501" });
      await opened.app.sql("reset role; revoke usage on schema tandem from app_writer_of_tests");
    });

    it("captures nothing there, and fails nobody, where it was attached all the same", async () => {
      await opened.app.sql(
        `create table elsewhere as select * from tasks; ${attach("elsewhere")};
         insert into elsewhere (id, title) values (1, 'Forged'); update elsewhere set title = 'B';
         delete from elsewhere`,
      );
      expect(await captured()).toEqual([]);
      await opened.app.sql("drop table elsewhere");
    });
  });

  it("captures what it writes, though it may neither see nor use anything of the schema", async () => {
    await asWriter("insert into tasks (title) values ('B'); delete from tasks where title = 'A'");
    expect(await captured()).toMatchObject([
      { recordId: "2", operation: "insert", origin: null },
      { recordId: "1", operation: "delete", origin: null, oldRow: { title: "A" } },
    ]);
    await expect(asWriter("select * from tandem.changes")).rejects.toMatchObject({ code: "42501" });
    await opened.app.sql("reset role");
  });
});
