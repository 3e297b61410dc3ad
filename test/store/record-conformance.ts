/** Every store's duties for the app's own rows. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Mapping, RowPatch } from "../../src/model/mapping.ts";
import { RecordWriteError } from "../../src/store/rules/record-write-error.ts";
import type { RecordStore, Store } from "../../src/store/store.ts";
import { aMapping, plainField } from "../engine/builders.ts";
import { anId, type OpenedStore, type StoreOptions, tasks } from "./opened-store.ts";

const ODD_TABLE = `
create type mood as enum ('good', 'bad, or "worse"');
create domain cents as numeric(12, 2);
create schema "My App";
create table "My App"."Odd ""Rows""" (
  "the Key" uuid primary key default gen_random_uuid(),
  big bigint,
  small integer,
  ratio double precision,
  price cents,
  yes boolean,
  moment timestamptz,
  wall timestamp,
  day date,
  span interval,
  bytes bytea,
  doc jsonb,
  raw json,
  feeling mood,
  feelings mood[],
  words text[],
  bigs bigint[],
  moments timestamptz[],
  docs jsonb[],
  grid integer[],
  short varchar(5),
  place point
)`;

export const odd: Mapping = aMapping({
  recordType: 'My App.Odd "Rows"',
  key: "the Key",
  scopeColumn: null,
  fields: [plainField("words", "labels")],
});

const oddValues = {
  big: "9007199254740993",
  small: 7,
  ratio: 1.5,
  price: "12.50",
  yes: true,
  moment: "2026-03-01 12:00:00.123456+00",
  wall: "2026-03-01 12:00:00.123456",
  day: "2026-03-01",
  span: "1 day 02:00:00",
  doc: { a: [1, "x", null], text: 'it\'s "quoted" \\ 😀' },
  raw: ["plain"],
  feeling: 'bad, or "worse"',
  feelings: ["good", 'bad, or "worse"', null],
  words: ["a", "b,c", 'd"e', "f\\g", "{}", "NULL", ""],
  bigs: ["9007199254740993", null],
  docs: [{ a: 1 }, [2], "three"],
  grid: [
    [1, 2],
    [3, 4],
  ],
  place: "(1,2)",
};

/** In memory a column has no type of its own: it keeps what it is given. */
export const ODD = {
  sql: ODD_TABLE,
  memory: {
    [odd.recordType]: {
      key: odd.key,
      columns: Object.fromEntries(
        [...Object.keys(oddValues), "bytes", "moments", "short"].map((column) => [column, null]),
      ),
    },
  },
};

export function recordsConformance(open: (options: StoreOptions) => Promise<OpenedStore>): void {
  describe("records", () => {
    let opened: OpenedStore;
    let store: Store;
    const records = <T>(work: (rows: RecordStore) => Promise<T>) =>
      store.transaction((tx) => work(tx.records));

    beforeAll(async () => {
      opened = await open({ tables: ODD, mappings: [tasks, odd] });
      ({ store } = opened);
    });

    it("are written and read by the names they have", async () => {
      const made = await records((rows) => rows.insert(tasks, { title: "A" }, anId()));
      expect(made.row).toMatchObject({ id: made.id, title: "A", status: "todo", labels: [] });
      const updated = await records((rows) =>
        rows.update(tasks, made.id, { title: "B", labels: ["x"], owner_id: undefined }, anId()),
      );
      expect(updated).toMatchObject({ title: "B", labels: ["x"] });
      expect(await records((rows) => rows.read(tasks, [made.id, "987654"]))).toEqual(
        new Map([[made.id, updated]]),
      );
      await records((rows) => rows.delete(tasks, made.id, anId()));
      expect(await records((rows) => rows.read(tasks, [made.id]))).toEqual(new Map());
    });

    it("keep every type of value as it is, beyond what JavaScript's own types hold", async () => {
      const bytes = new Uint8Array([0, 255, 92]);
      const made = await records((rows) => rows.insert(odd, { ...oddValues, bytes }, anId()));
      const { bytes: readBytes, moment, moments, ...row } = made.row;
      expect(row).toMatchObject(without(oddValues, "moment"));
      expect(Buffer.from(readBytes as Uint8Array)).toEqual(Buffer.from(bytes));
      expect(moments).toBeNull();
      expect(String(moment)).toMatch(/:00\.123456/);

      // A row that was read can be written: times, numbers and all.
      const again = await records((rows) => rows.update(odd, made.id, made.row, anId()));
      expect(again).toEqual(made.row);
    });

    it("tell of a scope that it would refer to a row which is not there (S71)", async () => {
      const owned = { ...tasks, scopeColumn: "owner_id" };
      const misfit = (scope: string) => records((rows) => rows.misfitOfScope(owned, scope));
      expect(await misfit("99")).toEqual({ kind: "no_row", table: "users" });
      const user = { ...tasks, recordType: "users" };
      const { id } = await records((rows) => rows.insert(user, { name: "Ada" }, anId()));
      expect(await misfit(id)).toBeNull();
      expect(await records((rows) => rows.misfitOfScope(tasks, "1"))).toBeNull();
    });

    it("say which refused what, and what to do", async () => {
      const refused = async (work: (rows: RecordStore) => Promise<unknown>) => {
        const error: unknown = await records(work).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(RecordWriteError);
        const { code, message, sqlState, table, column, constraint, retryable, hint } =
          error as RecordWriteError;
        expect(hint).toMatch(/^[A-Z].+\.$/);
        expect(retryable).toBe(false);
        return { code, message, sqlState, table, column, constraint };
      };
      expect(await refused((rows) => rows.insert(tasks, { title: null }, anId()))).toMatchObject({
        code: "not_null_violated",
        sqlState: "23502",
        table: "tasks",
        column: "title",
        constraint: null,
      });
      expect(
        await refused((rows) => rows.insert(tasks, { title: "A", status: "no" }, anId())),
      ).toMatchObject({ code: "check_violated", constraint: "tasks_status_check" });
      expect(
        await refused((rows) => rows.insert(tasks, { title: "A", owner_id: "99" }, anId())),
      ).toMatchObject({ code: "foreign_key_violated", constraint: "tasks_owner_id_fkey" });
      expect(await refused((rows) => rows.insert(tasks, { headline: "A" }, anId()))).toMatchObject({
        code: "table_changed",
        message: "tasks has no column headline",
        table: "tasks",
        column: "headline",
      });
      expect(
        await refused((rows) => rows.read({ ...tasks, recordType: "nowhere" }, ["1"])),
      ).toMatchObject({
        code: "table_changed",
        message: "there is no table nowhere",
        table: "nowhere",
        column: null,
      });
      // Also where an update has nothing to change: the row that it would give back is not there.
      for (const patch of [{ title: "A" }, { title: undefined }, {}]) {
        expect(await refused((rows) => rows.update(tasks, "987654", patch, anId()))).toMatchObject({
          code: "write_suppressed",
          message: "the update of a row of tasks had no effect",
          table: "tasks",
        });
      }
    });

    it("are given back as they are by an update that changes nothing", async () => {
      const { id, row } = await records((rows) => rows.insert(tasks, { title: "A" }, anId()));
      await store.transaction((tx) => tx.changes.take(1000));
      for (const patch of [{}, { title: undefined }]) {
        expect(await records((rows) => rows.update(tasks, id, patch, anId()))).toEqual(row);
      }
      expect(await store.transaction((tx) => tx.changes.take(1000))).toEqual([]);
    });

    it("are found by the column that names their parent, whatever its type", async () => {
      const above = aMapping({ recordType: "users" });
      const below = { ...tasks, parent: { column: "owner_id", recordType: "users" } };
      const loosely = { ...tasks, parent: { column: "markdown", recordType: "users" } };
      const [first = "", second = ""] = await opened.rows.insert(
        "users",
        { name: "A" },
        { name: "B" },
      );
      const [one, other] = await opened.rows.insert(
        "tasks",
        { title: "A", owner_id: first, markdown: null },
        { title: "B", owner_id: second, markdown: first },
      );
      expect(await records((rows) => rows.childrenOf(below, above, [first]))).toEqual([one]);
      expect(await records((rows) => rows.childrenOf(loosely, above, [first]))).toEqual([other]);
      expect(await records((rows) => rows.childrenOf(tasks, above, [first]))).toEqual([]);
    });

    it("are gone through in the order of their keys, all or those of one scope", async () => {
      const scopes = ["71", "72", "71", "71"];
      const made: string[] = [];
      for (const project_id of scopes) {
        const { id } = await records((rows) =>
          rows.insert(tasks, { title: "paged", project_id }, anId()),
        );
        made.push(id);
      }
      const [first, second, third, fourth] = made;
      const page = async (scope: string | null, after: string | null, limit: number) => {
        const found = await records((rows) => rows.page(tasks, scope, after, limit));
        return found.map(({ id, row }) => [id, row.title]);
      };
      expect(await page("71", null, 2)).toEqual([
        [first, "paged"],
        [third, "paged"],
      ]);
      expect(await page("71", third ?? null, 2)).toEqual([[fourth, "paged"]]);
      expect(await page("71", fourth ?? null, 2)).toEqual([]);
      expect(await page("no number", null, 2)).toEqual([]);
      expect(await page(null, first ?? null, 1)).toEqual([[second, "paged"]]);
    });

    it("are locked if they are free, and never waited for", async () => {
      const { whileEditing } = opened.rows;
      const { id } = await records((rows) => rows.insert(tasks, { title: "A" }, anId()));
      expect(await records((rows) => rows.lock(tasks, "987654"))).toEqual({ status: "missing" });
      expect(await records((rows) => rows.lock(tasks, id))).toMatchObject({
        status: "locked",
        row: { id, title: "A" },
      });
      // PGlite has one session: nobody else can hold a row.
      if (whileEditing === null) return;
      await whileEditing("tasks", id, { title: "B" }, async () => {
        expect(await records((rows) => rows.lock(tasks, id))).toEqual({ status: "busy" });
      });
      expect(await records((rows) => rows.lock(tasks, id))).toMatchObject({
        row: { title: "B" },
      });
    });

    it("are made and changed many at once, each under its own key", async () => {
      const patches = ["A", "B", "C"].map((title, index) =>
        index === 1 ? { title, labels: ["x", "y"] } : { title, markdown: `text ${title}` },
      );
      const made = await records((rows) => rows.insertAll(tasks, patches, anId(), "trigger"));
      expect(made?.map(({ row }) => row.title)).toEqual(["A", "B", "C"]);
      expect(made?.map(({ id, row }) => row.id === id)).toEqual([true, true, true]);
      expect(made?.[1]?.row).toMatchObject({ labels: ["x", "y"], markdown: null, status: "todo" });
      // A key that was drawn is not given to the next.
      const next = await records((rows) => rows.insert(tasks, { title: "D" }, anId()));
      const [a = "", b = "", c = ""] = (made ?? []).map(({ id }) => id);
      expect(new Set([a, b, c, next.id]).size).toBe(4);

      const updated = await records((rows) =>
        rows.updateAll(
          tasks,
          new Map<string, RowPatch>([
            [c, { title: "C2" }],
            [a, { title: "A2" }],
            [b, { labels: [], title: "B2" }],
          ]),
          anId(),
          "trigger",
        ),
      );
      expect([a, b, c].map((id) => updated.get(id)?.title)).toEqual(["A2", "B2", "C2"]);
      expect(updated.get(b)?.labels).toEqual([]);
      expect(await records((rows) => rows.read(tasks, [a, b, c]))).toEqual(updated);
      // A patch that changes nothing sends no statement, and a key that is given is not drawn.
      const patched = new Map<string, RowPatch>([
        [a, { title: undefined }],
        [b, { title: "B3" }],
      ]);
      const mixed = await records((rows) => rows.updateAll(tasks, patched, anId(), "trigger"));
      expect([mixed.get(a)?.title, mixed.get(b)?.title]).toEqual(["A2", "B3"]);
      const keyed = [{ title: "E", id: "424242" }];
      expect(await records((rows) => rows.insertAll(tasks, keyed, anId(), "trigger"))).toBeNull();
      await expect(
        records((rows) =>
          rows.updateAll(tasks, new Map([["987654", { title: "A" }]]), anId(), "trigger"),
        ),
      ).rejects.toMatchObject({ code: "write_suppressed" });
    });

    it("are undone where an attempt fails, which leaves the transaction fit for more", async () => {
      const told = await records(async (rows) => {
        const { id } = await rows.insert(tasks, { title: "A" }, anId());
        const failing = rows.attempt(async () => {
          await rows.update(tasks, id, { title: "half" }, anId());
          await rows.insertAll(tasks, [{ title: "B" }, { title: null }], anId(), "trigger");
        });
        await expect(failing).rejects.toMatchObject({ code: "not_null_violated" });
        await rows.attempt(() => rows.update(tasks, id, { markdown: "whole" }, anId()));
        return rows.read(tasks, [id]);
      });
      expect([...told.values()]).toMatchObject([{ title: "A", markdown: "whole" }]);
    });

    it("leave nothing for the drain where who wrote them tells it", async () => {
      const taken = () => store.transaction((tx) => tx.changes.take(1_000));
      await taken();
      const patches = [{ title: "A" }, { title: "B" }];
      const made = await records((rows) => rows.insertAll(tasks, patches, anId(), "writer"));
      const changed = new Map((made ?? []).map(({ id }) => [id, { title: "C" }]));
      await records((rows) => rows.updateAll(tasks, changed, anId(), "writer"));
      expect(await taken()).toEqual([]);
      // It holds for the statement only: what is written next is captured as ever.
      await records(async (rows) => {
        await rows.updateAll(
          tasks,
          new Map([...changed.keys()].map((id) => [id, { title: "D" }])),
          anId(),
          "writer",
        );
        for (const id of changed.keys()) await rows.update(tasks, id, { title: "E" }, anId());
      });
      expect((await taken()).map(({ recordId, operation }) => [recordId, operation])).toEqual(
        [...changed.keys()].map((id) => [id, "update"]),
      );
    });

    it("keep every type of value as it is, also many at once", async () => {
      const { moment, ...values } = oddValues;
      const made = await records((rows) =>
        rows.insertAll(odd, [oddValues, { small: 8 }], anId(), "trigger"),
      );
      expect(made?.[0]?.row).toMatchObject(values);
      expect(made?.map(({ row }) => row.small)).toEqual([7, 8]);
      const [first, second] = made ?? [];
      if (first === undefined || second === undefined) throw new Error("nothing was made");
      const patches = new Map([first, second].map(({ id, row }) => [id, without(row, odd.key)]));
      const again = await records((rows) => rows.updateAll(odd, patches, anId(), "trigger"));
      expect(again.get(first.id)).toEqual(first.row);
      expect(again.get(second.id)).toEqual(second.row);
      expect(String(again.get(first.id)?.moment)).toMatch(/:00\.123456/);
      expect(moment).toMatch(/123456/);
    });

    it("are locked many at once, those that are free", async () => {
      const { whileEditing } = opened.rows;
      const made = await records((rows) =>
        rows.insertAll(tasks, [{ title: "A" }, { title: "B" }], anId(), "trigger"),
      );
      const [a = "", b = ""] = (made ?? []).map(({ id }) => id);
      const free = () => records((rows) => rows.lockFree(tasks, [a, b, "987654"]));
      const keysOf = ({ rows }: Awaited<ReturnType<typeof free>>) => [...rows.keys()].sort();
      const all = await free();
      expect(keysOf(all)).toEqual([a, b].sort());
      expect(all.captured.map(({ recordId }) => recordId)).toEqual([a, b]);
      if (whileEditing === null) return;
      await whileEditing("tasks", a, { title: "A2" }, async () => {
        expect(keysOf(await free())).toEqual([b]);
      });
      // Once the row is free, no write that was committed while it was held is missed.
      expect((await free()).captured.map(({ recordId }) => recordId)).toEqual([a, b, a]);
    });

    it("carry the mark of the event that wrote them, and nobody else's writes do", async () => {
      await store.transaction((tx) => tx.changes.take(1000));
      const origin = anId();
      const { id } = await records(async (rows) => {
        const made = await rows.insert(tasks, { title: "ours" }, origin);
        await rows.update(tasks, made.id, { title: "still ours" }, origin);
        return made;
      });
      await opened.rows.update("tasks", id, { title: "theirs" });
      await store.transaction(async (tx) => {
        const peeked = await tx.changes.peek("tasks", ["987654", id]);
        expect(peeked.map((change) => change.origin)).toEqual([origin, origin, null]);
        expect(await tx.changes.oldest()).toBe(peeked[0]?.changedAt);
        expect(await tx.changes.take(1000)).toEqual(peeked);
        expect(await tx.changes.oldest()).toBeNull();
        expect(await tx.changes.peek("tasks", [id])).toEqual([]);
      });
    });
  });
}

function without(values: Readonly<Record<string, unknown>>, name: string) {
  return Object.fromEntries(Object.entries(values).filter(([key]) => key !== name));
}
