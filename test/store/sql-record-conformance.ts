/** A store's duties for rows if the database has types, triggers and migrations of its own. */
import { beforeAll, describe, expect, it } from "vitest";
import type { RecordStore, Store } from "../../src/store/store.ts";
import { anId, type OpenedSqlStore, type StoreOptions, tasks } from "./opened-store.ts";
import { odd, ODD } from "./record-conformance.ts";

export function sqlRecordsConformance(
  open: (options: StoreOptions) => Promise<OpenedSqlStore>,
): void {
  describe("records in SQL", () => {
    let opened: OpenedSqlStore;
    let store: Store;
    const records = <T>(work: (rows: RecordStore) => Promise<T>) =>
      store.transaction((tx) => work(tx.records));

    beforeAll(async () => {
      opened = await open({ tables: ODD, mappings: [tasks, odd] });
      ({ store } = opened);
    });

    it("are refused where a value does not fit its column's type", async () => {
      await expect(
        records((rows) => rows.insert(tasks, { title: "A", project_id: "x" }, anId())),
      ).rejects.toMatchObject({ code: "invalid_value", sqlState: "22P02", retryable: false });
      await expect(
        records((rows) => rows.insert(odd, { short: "too long" }, anId())),
      ).rejects.toMatchObject({ code: "invalid_value", sqlState: "22001", retryable: false });
    });

    it("are refused if their table was dropped, with the remedy", async () => {
      const gone = { ...tasks, recordType: "dropped_tasks" };
      await expect(records((rows) => rows.read(gone, ["1"]))).rejects.toMatchObject({
        code: "table_changed",
        message: "there is no table dropped_tasks",
        hint: "Create it, or take it out of the configuration; `tandem check` compares the two.",
        table: "dropped_tasks",
      });
    });

    it("tell which scopes a column cannot hold, by its type, and how it would write them (S71)", async () => {
      const misfit = (scopeColumn: string, scope: string) =>
        records((rows) => rows.misfitOfScope({ ...odd, scopeColumn }, scope));
      expect(await misfit("the Key", "7")).toEqual({ kind: "not_of_type", type: "uuid" });
      expect(await misfit("the Key", "0196AAAA-0000-7000-8000-000000000001")).toEqual({
        kind: "written_otherwise",
        as: "0196aaaa-0000-7000-8000-000000000001",
      });
      expect(await misfit("the Key", "0196aaaa-0000-7000-8000-000000000001")).toBeNull();
      expect(await misfit("big", "x")).toEqual({ kind: "not_of_type", type: "bigint" });
      expect(await misfit("big", " 7")).toEqual({ kind: "written_otherwise", as: "7" });
      expect(await misfit("big", "9007199254740993")).toBeNull();
      expect(await misfit("feeling", "none")).toMatchObject({ kind: "not_of_type" });
      expect(await misfit("short", "any words")).toBeNull();
      expect(await misfit("price", "12.5")).toBeNull();
    });

    it("are refused by a trigger of the app, at once or at the commit", async () => {
      const { app } = opened;
      await app.sql(`
        create function strict() returns trigger language plpgsql as $$
        begin
          if new.title = 'at once' then
            raise exception 'no such title' using hint = 'Ask Ada.';
          elsif new.title = 'own code' then
            raise exception 'mine' using errcode = 'ACME1';
          end if;
          return new;
        end $$;
        create trigger strict before insert on tasks for each row execute function strict();
        create function late() returns trigger language plpgsql as $$
        begin
          if new.title = 'late' then raise exception 'too late'; end if;
          return null;
        end $$;
        create constraint trigger late after insert on tasks
          deferrable initially deferred for each row execute function late()`);
      const insert = (title: string) => records((rows) => rows.insert(tasks, { title }, anId()));
      await expect(insert("at once")).rejects.toMatchObject({
        code: "refused_by_trigger",
        message: "no such title",
        hint: "Ask Ada.",
      });
      await expect(insert("own code")).rejects.toMatchObject({
        code: "refused_by_trigger",
        sqlState: "ACME1",
      });
      await expect(insert("late")).rejects.toMatchObject({ code: "refused_by_trigger" });
      await expect(insert("fine")).resolves.toBeDefined();
    });

    it("are captured where a trigger of the app writes in answer, whoever tells of the write", async () => {
      const { app } = opened;
      await app.sql(`
        create function shout() returns trigger language plpgsql as $$
          begin
            update tasks set markdown = 'seen' where id = new.id and markdown is null;
            return null;
          end
        $$;
        create trigger shout after insert or update of title on tasks
          for each row execute function shout()`);
      const taken = () => store.transaction((tx) => tx.changes.take(1_000));
      await taken();
      const origin = anId();
      const made = await records((rows) =>
        rows.insertAll(tasks, [{ title: "A" }, { title: "B", markdown: "mine" }], origin, "writer"),
      );
      expect(await taken()).toMatchObject([
        { recordId: made?.[0]?.id, operation: "update", columns: ["markdown"], origin },
      ]);
      await app.sql("drop trigger shout on tasks; drop function shout()");
    });

    it("are the app's where a deferred trigger writes after its code was lent the transaction", async () => {
      const { app } = opened;
      const { id } = await records((rows) => rows.insert(tasks, { title: "A" }, anId()));
      const other = await records((rows) => rows.insert(tasks, { title: "B" }, anId()));
      await app.sql(`
        create function answer_late() returns trigger language plpgsql as
          $$begin update tasks set markdown = 'late' where id = ${other.id}; return null; end$$;
        create constraint trigger answer_late after update of title on tasks
          deferrable initially deferred for each row execute function answer_late()`);
      const taken = () => store.transaction((tx) => tx.changes.take(1_000));
      await taken();
      const origin = anId();
      const renamed = `update tasks set title = 'C' where id = ${id}`;
      await records((rows) => rows.lend(origin, (sql) => sql.query(renamed)));
      expect(await taken()).toMatchObject([
        { recordId: id, origin },
        { recordId: other.id, columns: ["markdown"], origin: null },
      ]);
      await app.sql("drop trigger answer_late on tasks; drop function answer_late()");
    });

    it("may be hidden from us only where row security is on and we are subject to it", async () => {
      const { app } = opened;
      await app.sql(`
        create role limited_reader;
        grant usage on schema public, tandem to limited_reader;
        grant select on all tables in schema public to limited_reader;
        grant select on all tables in schema tandem to limited_reader`);
      const asLimited = () =>
        store.transaction(async ({ records: rows }) => {
          await rows.lend(anId(), (sql) => sql.query("set local role limited_reader"));
          return rows.mayHideRows(tasks);
        });
      expect(await asLimited()).toBe(false);
      await app.sql("alter table tasks enable row level security");
      expect(await asLimited()).toBe(true);
      expect(await records((rows) => rows.mayHideRows(tasks))).toBe(false);
      await app.sql("alter table tasks disable row level security");
      await app.sql("drop owned by limited_reader; drop role limited_reader");
    });

    it("are made one by one where nobody can say beforehand what their keys will be", async () => {
      const { app } = opened;
      await app.sql(`
        create table named (id text primary key, title text);
        create table drawn (id bigint generated always as identity primary key, title text);
        create role limited_writer;
        grant usage on schema public, tandem to limited_writer;
        grant select, insert on drawn to limited_writer`);
      const named = { ...tasks, recordType: "named" };
      const drawn = { ...tasks, recordType: "drawn" };
      const many = [{ title: "A" }, { title: "B" }];
      expect(await records((rows) => rows.insertAll(named, many, anId(), "trigger"))).toBeNull();
      // An identity's sequence is not ours to draw from, though its table is ours to write.
      const asLimited = (work: (rows: RecordStore) => Promise<unknown>) =>
        records(async (rows) => {
          await rows.lend(anId(), (sql) => sql.query("set local role limited_writer"));
          return work(rows);
        });
      expect(await asLimited((rows) => rows.insertAll(drawn, many, anId(), "trigger"))).toBeNull();
      await asLimited((rows) => rows.insert(drawn, { title: "A" }, anId()));
      // The app may replace a key's default, so the store must not draw from the old one.
      await app.sql(`
        create sequence other_keys start 100;
        alter table drawn alter id drop identity;
        alter table drawn alter id set default nextval('other_keys')`);
      const made = await records((rows) => rows.insertAll(drawn, many, anId(), "trigger"));
      expect(made?.map(({ id }) => id)).toEqual(["100", "101"]);
      await app.sql("drop owned by limited_writer; drop role limited_writer");
    });

    it("are told to be gone all at once where the table was emptied by TRUNCATE", async () => {
      const { app } = opened;
      const told = () => store.transaction((tx) => tx.changes.takeTruncated());
      await app.sql("truncate tasks cascade");
      await app.sql("truncate tasks cascade");
      expect(await told()).toEqual(["tasks"]);
      expect(await told()).toEqual([]);
    });

    it("show new columns after a migration of the app", async () => {
      const { app } = opened;
      const { id } = await records((rows) => rows.insert(tasks, { title: "A" }, anId()));
      await app.sql(
        "alter table tasks add column extra text; alter table tasks drop column card_position",
      );
      await expect(records((rows) => rows.read(tasks, [id]))).rejects.toMatchObject({
        code: "table_changed",
      });
      const rows = await records((each) => each.read(tasks, [id]));
      expect(rows.get(id)).toHaveProperty("extra", null);
      await app.sql("alter table tasks add column card_position double precision");
    });
  });
}
