/** The store in memory: what every store must do, and what Postgres does by itself. */
import { beforeEach, describe, expect, it } from "vitest";
import { formatInstant, parseInstant } from "../../src/model/instant.ts";
import type { RowWrite } from "../../src/store/memory/tables/app-tables.ts";
import {
  createMemoryDatabase,
  type MemoryDatabase,
} from "../../src/store/memory/memory-database.ts";
import { memoryStore } from "../../src/store/memory/memory-store.ts";
import type { Store, StoreTransaction } from "../../src/store/store.ts";
import { aMapping, plainField } from "../engine/builders.ts";
import {
  aConnection,
  anId,
  aQueued,
  decide,
  issueKey,
  openMemoryStore,
  present,
  readLane,
} from "./opened-store.ts";
import { storeConformance } from "./store-conformance.ts";

describe("the store in memory", () => {
  storeConformance(openMemoryStore);
});

const mapping = aMapping({ fields: [plainField("title"), plainField("labels")] });
const noon = parseInstant("2026-03-02T12:00:00Z");

describe("a database in memory", () => {
  let app: MemoryDatabase;
  let store: Store;
  const captured = () => store.transaction((tx) => tx.changes.take(100));

  beforeEach(async () => {
    app = createMemoryDatabase({
      tables: {
        projects: { columns: { name: undefined } },
        tasks: {
          columns: {
            project_id: "1",
            title: undefined,
            labels: [],
            slug: null,
            made_at: ({ now }: { now: typeof noon }) => formatInstant(now),
            place: ({ key }: { key: string }) => Number(key) * 10,
          },
          unique: ["slug"],
          references: { project_id: { table: "projects" } },
        },
        notes: {
          columns: { task_id: undefined },
          references: { task_id: { table: "tasks", onDelete: "cascade" } },
        },
      },
      now: () => noon,
    });
    store = memoryStore(app, { mappings: [mapping] });
    await app.insert("projects", { name: "Site" });
  });

  describe("keeps the app's rows", () => {
    it("with keys that count up, and what they are by default", async () => {
      const first = await app.insert("tasks", { title: "A" });
      const row = {
        id: "1",
        project_id: "1",
        title: "A",
        labels: [],
        slug: null,
        made_at: "2026-03-02T12:00:00.000000Z",
        place: 10,
      };
      expect(first).toEqual({ id: "1", row });
      expect((await app.insert("tasks", { title: "B" })).id).toBe("2");
      expect(await app.row("tasks", "1")).toEqual(row);
      expect(await app.row("tasks", "3")).toBeUndefined();
      expect(await app.update("tasks", "3", { title: "C" })).toBeUndefined();
    });

    it("apart from what it was given, and from whom it is shown to", async () => {
      const labels = ["a"];
      await app.insert("tasks", { title: "A", labels, slug: new Date(0), place: 2n ** 60n });
      labels.push("b");
      const row = present(await app.row("tasks", "1"));
      expect(row).toMatchObject({
        labels: ["a"],
        slug: "1970-01-01T00:00:00.000Z",
        place: "1152921504606846976",
      });
      expect(() => (row.labels as string[]).push("c")).toThrow(TypeError);
      expect(() => Object.assign(row, { title: "B" })).toThrow(TypeError);
    });

    it("under their constraints", async () => {
      const refusals = {
        not_null_violated: app.insert("tasks", { project_id: "1" }),
        foreign_key_violated: app.insert("tasks", { title: "A", project_id: "9" }),
        table_changed: app.insert("tasks", { title: "A", headline: "B" }),
      };
      for (const [code, refused] of Object.entries(refusals)) {
        await expect(refused).rejects.toMatchObject({ code });
      }
      const { id } = await app.insert("tasks", { title: "A", slug: "a" });
      const other = await app.insert("tasks", { title: "B" });
      await expect(app.update("tasks", other.id, { slug: "a" })).rejects.toMatchObject({
        code: "unique_violated",
        constraint: "tasks_slug_key",
      });
      await expect(app.insert("tasks", { id, title: "C" })).rejects.toMatchObject({
        code: "unique_violated",
        constraint: "tasks_pkey",
      });
      await expect(app.delete("projects", "1")).rejects.toMatchObject({
        code: "foreign_key_violated",
      });
      expect(await app.rows("projects")).toHaveLength(1);
    });

    it("and deletes what refers to them, where it is to", async () => {
      await store.migrate([
        mapping,
        aMapping({ recordType: "notes", fields: [], scopeColumn: null }),
      ]);
      await app.insert("tasks", { title: "A" });
      await app.insert("notes", { task_id: "1" });
      await captured();
      await app.delete("tasks", "1");
      expect(await app.rows("notes")).toEqual([]);
      expect(await captured()).toMatchObject([
        { recordType: "tasks", operation: "delete", oldRow: { id: "1", title: "A" } },
        { recordType: "notes", operation: "delete", oldRow: { id: "1" } },
      ]);
    });
  });

  it("captures nothing before it is migrated, and nothing that is not mapped", async () => {
    await app.insert("tasks", { title: "A" });
    await store.migrate([mapping]);
    await app.insert("projects", { name: "Shop" });
    expect(await captured()).toEqual([]);
    await app.insert("tasks", { title: "B" });
    await store.migrate([]);
    await app.insert("tasks", { title: "C" });
    expect(await captured()).toMatchObject([{ recordId: "2" }]);
    const missing = aMapping({ fields: [plainField("headline", "title")] });
    await expect(store.migrate([missing])).rejects.toMatchObject({ code: "column_missing" });
    await expect(store.migrate([aMapping({ recordType: "no" })])).rejects.toMatchObject({
      code: "table_missing",
    });
  });

  it("captures a change of key as the end of one record and the birth of another", async () => {
    await store.migrate([mapping]);
    await app.insert("tasks", { title: "A" });
    await captured();
    await app.update("tasks", "1", { id: "70" });
    expect(await captured()).toMatchObject([
      { recordId: "1", operation: "delete", oldRow: { title: "A" } },
      { recordId: "70", operation: "insert", oldRow: null },
    ]);
  });

  it("tells of writes once they are committed, with who wrote", async () => {
    const heard: RowWrite[] = [];
    const stop = app.onWrite((write) => heard.push(write));
    await app.insert("tasks", { title: "A" });
    const origin = anId();
    const update = (tx: StoreTransaction) =>
      tx.records.update(mapping, "1", { title: "B" }, origin);
    const failing = store.transaction(async (tx) => {
      await update(tx);
      throw new Error("never mind");
    });
    await expect(failing).rejects.toThrow("never mind");
    await store.transaction(async (tx) => {
      await update(tx);
      expect(heard).toHaveLength(1);
    });
    stop();
    await app.delete("tasks", "1");
    expect(heard).toMatchObject([
      { table: "tasks", id: "1", row: { title: "A" }, old: null, origin: null },
      { table: "tasks", id: "1", row: { title: "B" }, old: { title: "A" }, origin },
    ]);
  });

  describe("runs transactions", () => {
    it("one after another, and whoever reads waits for its turn", async () => {
      const steps: string[] = [];
      const inThreeSteps = (name: string) =>
        store.transaction(async (tx) => {
          for (const step of [1, 2, 3]) {
            await tx.records.insert(mapping, { title: `${name} ${step}` }, anId());
            steps.push(`${name}${step}`);
          }
        });
      const first = inThreeSteps("a");
      const rows = app.rows("tasks");
      const written = app.update("tasks", "1", { title: "the app's" });
      await Promise.all([first, inThreeSteps("b")]);
      expect(steps).toEqual(["a1", "a2", "a3", "b1", "b2", "b3"]);
      expect(await rows).toHaveLength(3);
      expect(await written).toMatchObject({ title: "the app's" });
    });

    it("whole or not at all: rows, captures, lanes, events and deliveries", async () => {
      await store.migrate([mapping]);
      const connection = await aConnection(store, "1");
      for (const title of ["A", "B", "C"]) await app.insert("tasks", { title });
      await captured();
      const [lane] = await store.transaction((tx) => tx.ensureLanes([issueKey(connection, "1")]));
      const id = present(lane);
      await decide(store, id, (before, now) => ({
        recordId: "1",
        live: [aQueued(before, now)],
      }));
      const before = {
        rows: await app.rows("tasks"),
        lane: await readLane(store, id),
        events: await store.ledger.events({ limit: 10 }),
        counts: await store.ledger.counts(),
        due: await store.ledger.nextDue(),
      };

      const failing = store.transaction(async (tx) => {
        await tx.records.update(mapping, "3", { title: "no" }, anId());
        await tx.records.delete(mapping, "1", anId());
        await tx.records.insert(mapping, { title: "D" }, anId());
        await tx.ensureLanes([issueKey(connection, "2")]);
        const [held] = await tx.lockLanes([id]);
        const decided = present(held);
        const [event] = decided.live;
        const ended = { ...present(event), state: "completed", finishedAt: tx.now } as const;
        const after = { ...decided, externalId: "7", recordId: "2", live: [] };
        await tx.saveLanes([{ before: decided, after: { lane: after, ended: [ended] } }]);
        await tx.removeLane(id);
        throw new Error("never mind");
      });
      await expect(failing).rejects.toThrow("never mind");

      expect({
        rows: await app.rows("tasks"),
        lane: await readLane(store, id),
        events: await store.ledger.events({ limit: 10 }),
        counts: await store.ledger.counts(),
        due: await store.ledger.nextDue(),
      }).toEqual(before);
      await store.transaction(async (tx) => {
        expect(
          await tx.findLanes({
            kind: "of_resources",
            connectionId: connection,
            resourceType: "issue",
            externalIds: ["1", "2", "7"],
          }),
        ).toMatchObject([{ id }]);
        expect(
          await tx.findLanes({ kind: "of_records", recordType: "tasks", recordIds: ["1", "2"] }),
        ).toMatchObject([{ id }]);
        expect(
          await tx.findLanes({
            kind: "with_resource",
            connectionId: connection,
            resourceType: "issue",
            after: null,
            limit: 10,
          }),
        ).toMatchObject([{ id }]);
      });
    });

    it("that swallow a refusal to their rollback, as Postgres does", async () => {
      const swallowing = store.transaction(async ({ records }) => {
        await records.insert(mapping, { title: "A" }, anId());
        await records.insert(mapping, { title: null }, anId()).catch(() => undefined);
      });
      await expect(swallowing).rejects.toMatchObject({ name: "AbortedTransactionError" });
      expect(await app.rows("tasks")).toEqual([]);
    });

    it("until they end, and not a step further", async () => {
      const kept: { tx?: StoreTransaction } = {};
      await store.transaction(async (tx) => {
        kept.tx = tx;
      });
      await expect(kept.tx?.changes.take(1)).rejects.toThrow(/has ended/);
    });

    it("again where that may help, with what others did meanwhile", async () => {
      const connection = await aConnection(store, "1");
      const key = { ...issueKey(connection, ""), externalId: null, recordId: "1" };
      const [id] = await store.transaction((tx) => tx.ensureLanes([key]));
      let runs = 0;
      const bind = store.transaction(async (tx) => {
        runs += 1;
        const known = await tx.findLanes({
          kind: "of_resources",
          connectionId: connection,
          resourceType: "issue",
          externalIds: ["9"],
        });
        const [lane] = await tx.lockLanes([present(id)]);
        const before = present(lane);
        // As if the lane had been made behind the look.
        if (runs === 1) await tx.ensureLanes([issueKey(connection, "9")]);
        const externalId = known.length === 0 ? "9" : null;
        await tx.saveLanes([{ before, after: { lane: { ...before, externalId }, ended: [] } }]);
      });
      const other = store.transaction((tx) => tx.ensureLanes([issueKey(connection, "9")]));
      await Promise.all([bind, other]);
      expect(runs).toBe(2);
      expect(await readLane(store, present(id))).toMatchObject({ externalId: null });
    });

    it("on lanes as they were read last: a decision on an older state is a fault", async () => {
      const connection = await aConnection(store, "1");
      const [id] = await store.transaction((tx) => tx.ensureLanes([issueKey(connection, "1")]));
      const stale = store.transaction(async (tx) => {
        const [lane] = await tx.lockLanes([present(id)]);
        const before = present(lane);
        const save = (epoch: number) =>
          tx.saveLanes([{ before, after: { lane: { ...before, epoch }, ended: [] } }]);
        await save(1);
        await save(2);
      });
      await expect(stale).rejects.toThrow(/has moved on/);
    });
  });

  it("is waited for by nobody while the app holds a row", async () => {
    await app.insert("tasks", { title: "A" });
    const releases = [app.holdRow("tasks", "1"), app.holdRow("tasks", "1")];
    const lock = () => store.transaction((tx) => tx.records.lock(mapping, "1"));
    expect(await lock()).toEqual({ status: "busy" });
    const writing = store.transaction((tx) => tx.records.delete(mapping, "1", anId()));
    await expect(writing).rejects.toMatchObject({ code: "55P03" });
    releases[0]?.();
    releases[0]?.();
    expect(await lock()).toEqual({ status: "busy" });
    releases[1]?.();
    expect(await lock()).toMatchObject({ status: "locked" });
  });
});
