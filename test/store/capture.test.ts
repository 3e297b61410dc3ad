/** The capture triggers, beside what any store captures: odd tables, and that they fail nobody. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseInstant } from "../../src/model/instant.ts";
import type { Mapping } from "../../src/model/mapping.ts";
import { aMapping, plainField } from "../engine/builders.ts";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { anId, connectTo, type OpenedSqlStore, openStore, tasks } from "./opened-store.ts";

describeOnEachDatabase("local writes", (open) => {
  let opened: OpenedSqlStore;
  const captured = () => opened.store.transaction((tx) => tx.changes.take(1_000));

  describe("to the app's tasks", () => {
    beforeAll(async () => {
      opened = await openStore(await open());
    });
    beforeEach(async () => {
      await opened.app.sql("truncate tasks restart identity");
      await opened.app.sql("insert into tasks (title) values ('A')");
      await captured();
    });

    it("are captured in the writer's own transaction, and gone with it", async () => {
      const app = await connectTo(opened.app);
      const failing = app.transaction(async (tx) => {
        await tx.query("update tasks set title = 'B'");
        const { rows } = await tx.query("select * from tandem.changes");
        expect(rows).toHaveLength(1);
        throw new Error("changed my mind");
      });
      await expect(failing).rejects.toThrow("changed my mind");
      expect(await captured()).toEqual([]);
      await app.close();
    });

    it("are taken with what was captured of the same record, past a bulk of other records (S72)", async () => {
      await opened.app.sql("insert into tasks (title) select 'bulk' from generate_series(1, 60)");
      await opened.app.sql("update tasks set title = 'edited' where id = 2");
      const taken = await opened.store.transaction((tx) => tx.changes.take(3));
      expect(taken.map(({ recordId, operation }) => `${operation} ${recordId}`)).toEqual([
        "insert 2",
        "insert 3",
        "insert 4",
        "update 2",
      ]);
    });

    it("that change the key are the end of one record and the birth of another", async () => {
      await opened.app.sql(
        "insert into tasks (id, title) overriding system value values (70, 'K')",
      );
      await captured();
      await opened.app.sql("update tasks set id = default where title = 'K'");
      expect(await captured()).toMatchObject([
        { recordId: "70", operation: "delete", oldRow: { title: "K" } },
        { recordId: "2", operation: "insert", oldRow: null },
      ]);
    });
  });

  describe("to tables whose schema changes", () => {
    beforeEach(async () => {
      opened = await openStore(await open());
      await opened.app.sql("insert into tasks (title) values ('A')");
      await captured();
    });

    it("by the app's own triggers in answer to ours are not marked as ours", async () => {
      await opened.app.sql(`
        create table notes (task_id bigint, note text);
        create function react() returns trigger language plpgsql as $$
        begin
          insert into notes values (new.id, current_setting('tandem.origin', true));
          return null;
        end $$;
        create trigger react after insert on tasks for each row execute function react()`);
      const origin = anId();
      await opened.store.transaction(async (tx) => {
        await tx.records.insert(tasks, { title: "ours" }, origin);
      });
      expect(await captured()).toMatchObject([{ origin }]);
    });

    it("go on when a mapped column was renamed or dropped before Tandem learned of it", async () => {
      await opened.app.sql("alter table tasks rename column title to headline");
      await opened.app.sql("insert into tasks (headline) values ('B')");
      await opened.app.sql("update tasks set headline = 'C' where headline = 'B'");
      await opened.app.sql("delete from tasks where headline = 'C'");
      expect(await captured()).toMatchObject([
        { operation: "insert", recordId: "2" },
        { operation: "update", recordId: "2" },
        { operation: "delete", recordId: "2", oldRow: null },
      ]);
      await opened.app.sql("alter table tasks drop column headline cascade");
      await opened.app.sql("insert into tasks (status) values ('done')");
      await opened.app.sql("update tasks set status = 'todo'");
      await opened.app.sql("delete from tasks");
      await captured();
    });
  });

  describe("to tables with odd names and types", () => {
    const mapping: Mapping = aMapping({
      recordType: 'We"ird $capture$ täble',
      key: "the 'key'",
      scopeColumn: "per iod",
      softDelete: "deleted at",
      modifiedAt: "touched",
      fields: [
        plainField("a.b", "title"),
        plainField("raw", "body"),
        plainField("place", "state"),
        plainField("feeling", "labels"),
        plainField("big", "author"),
        plainField("back\\slash", "title"),
      ],
    });
    const name = '"We""ird $capture$ täble"';

    beforeAll(async () => {
      opened = await openStore(await open(), {
        tables: `
          create type feeling as enum ('good', 'bad');
          create table ${name} (
            "the 'key'" char(6) primary key,
            "per iod" interval,
            "deleted at" timestamptz,
            touched timestamptz,
            "a.b" xml,
            raw json,
            place point,
            feeling feeling[],
            big bigint,
            "back\\slash" text,
            other text
          )`,
        mappings: [mapping],
      });
    });
    beforeEach(async () => {
      await opened.app.sql(`truncate ${name}`);
      await captured();
    });

    it("are captured whatever the types: no equality, odd texts, big numbers", async () => {
      await opened.app.sql(`
        insert into ${name} values (
          'k1', '1 day', null, null, '<a/>', '{"x":"\\u0000"}', '(1,2)', '{good}',
          9007199254740993, 'b', null
        )`);
      await opened.app.sql(`update ${name} set other = 'nothing mapped'`);
      await opened.app.sql(`update ${name} set "a.b" = '<b/>'`);
      await opened.app.sql(`update ${name} set raw = '{"x":"\\u0000", "y": 1}'`);
      await opened.app.sql(`update ${name} set place = '(1,3)'`);
      await opened.app.sql(`update ${name} set feeling = '{good,bad}'`);
      // The same length of time, but not the same value.
      await opened.app.sql(`update ${name} set "per iod" = '24 hours'`);
      await opened.app.sql(`update ${name} set "deleted at" = '2026-03-01 00:00Z'`);
      await opened.app.sql(`update ${name} set "back\\slash" = 'c'`);
      await opened.app.sql(`update ${name} set raw = '{"x": 1}'`);
      await opened.app.sql(`delete from ${name}`);

      const changes = await captured();
      expect(changes.map((change) => change.columns.join())).toEqual([
        "a.b,back\\slash,big,deleted at,feeling,per iod,place,raw",
        "a.b",
        "raw",
        "place",
        "feeling",
        "per iod",
        "deleted at",
        "back\\slash",
        "raw",
        "",
      ]);
      expect(new Set(changes.map((change) => change.recordId))).toEqual(new Set(["k1"]));
      expect(changes.at(-1)?.oldRow).toMatchObject({
        "a.b": "<b/>",
        big: "9007199254740993",
        feeling: ["good", "bad"],
        raw: { x: 1 },
      });
    });

    it("are deleted even where their JSON is none that jsonb takes", async () => {
      await opened.app.sql(`insert into ${name} ("the 'key'", raw) values ('k1', '"\\u0000"')`);
      await opened.app.sql(`delete from ${name}`);
      expect((await captured()).at(-1)).toMatchObject({ recordId: "k1", oldRow: null });
    });

    it("take the writer's own time where it moved, and no time to come", async () => {
      const at = parseInstant("2026-03-01T12:00:00.123456Z");
      await opened.app.sql(
        `insert into ${name} ("the 'key'", touched) values ('k1', '2026-03-01T12:00:00.123456Z')`,
      );
      await opened.app.sql(`update ${name} set big = 1`);
      await opened.app.sql(`update ${name} set big = 2, touched = '2026-03-01T13:00:00Z'`);
      await opened.app.sql(`update ${name} set big = 3, touched = 'infinity'`);
      await opened.app.sql(`update ${name} set big = 4, touched = '-infinity'`);
      const now = await opened.store.ledger.now();
      const changes = await captured();
      const times = changes.map((change) => change.changedAt);
      expect(times[0]).toBe(at);
      expect(times[1]).toBeGreaterThan(at);
      expect(times[2]).toBe(parseInstant("2026-03-01T13:00:00Z"));
      expect(times[3]).toBeLessThanOrEqual(now);
      expect(times[4]).toBe(0);
    });
  });

  it("carry the mapping's name if the table is partitioned", async () => {
    opened = await openStore(await open(), {
      tables: `
        create table tasks (id bigint, project_id bigint, title text, primary key (id, project_id))
          partition by list (project_id);
        create table tasks_one partition of tasks for values in (1);
        create table tasks_two partition of tasks for values in (2)`,
      mappings: [aMapping({ fields: [plainField("title")] })],
    });
    await opened.app.sql("insert into tasks values (1, 1, 'A')");
    await opened.app.sql("insert into tasks_two values (2, 2, 'B')");
    await opened.app.sql("update tasks set title = 'C' where id = 2");
    await opened.app.sql("create table tasks_rest partition of tasks default");
    await opened.app.sql("insert into tasks values (3, 3, 'D')");
    expect(await captured()).toMatchObject([
      { recordType: "tasks", recordId: "1", operation: "insert" },
      { recordType: "tasks", recordId: "2", operation: "insert" },
      { recordType: "tasks", recordId: "2", operation: "update" },
      { recordType: "tasks", recordId: "3", operation: "insert" },
    ]);
  });
});
