/** The Postgres store, on Postgres and on PGlite, against what every store must do. */
import { expect, it } from "vitest";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { connectionId } from "../../src/model/ids.ts";
import { enableConnection } from "../../src/runtime/safety/enable-connection.ts";
import { ensureLanesFree } from "../../src/store/postgres/lanes/ensure-lanes.ts";
import type { StoreTransaction } from "../../src/store/store.ts";
import { identities, octocat } from "./link-conformance.ts";
import {
  anId,
  aQueued,
  connectTo,
  decideIn,
  issueKey,
  type OpenedSqlStore,
  openStore,
  present,
  readLane,
  type StoreOptions,
  TABLES,
  tasks,
} from "./opened-store.ts";
import { sqlRecordsConformance } from "./sql-record-conformance.ts";
import { storeConformance } from "./store-conformance.ts";

describeOnEachDatabase("the store", (open, kind) => {
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
      const known = await tx.findLanes({
        kind: "of_resources",
        connectionId: connection,
        resourceType: "issue",
        externalIds: ["9"],
      });
      // As if it was made by somebody else behind the look.
      if (runs === 1) await tx.ensureLanes([issueKey(connection, "9")]);
      await decideIn(tx, present(id), () => (known.length === 0 ? { externalId: "9" } : {}));
    });
    expect(runs).toBe(2);
    expect(await readLane(store, present(id))).toMatchObject({ externalId: "9" });
  });

  it("gives up where that happens each time, and says why", async () => {
    const { store, connection } = await opened();
    const key = { ...issueKey(connection, ""), externalId: null, recordId: "1" };
    const [id] = await store.transaction((tx) => tx.ensureLanes([key]));
    const deciding = store.transaction(async (tx) => {
      await tx.ensureLanes([issueKey(connection, "9")]);
      await decideIn(tx, present(id), () => ({ externalId: "9" }));
    });
    await expect(deciding).rejects.toMatchObject({
      name: "LaneMadeMeanwhileError",
      message: "a lane of the same resource or record was made meanwhile",
      code: "40001",
      cause: { code: "23505" },
    });
  });

  it.runIf(kind === "postgres")(
    "says that a transaction holds a lane for too long, not that the lane was made",
    async () => {
      const { store, connection } = await opened();
      const key = { ...issueKey(connection, ""), externalId: null, recordId: "1" };
      const [id] = await store.transaction((tx) => tx.ensureLanes([key]));
      const gate = opening();
      const made = opening();
      const holding = store.transaction(async (tx) => {
        await tx.ensureLanes([issueKey(connection, "9")]);
        made.open();
        await gate.opened;
      });
      await made.opened;
      const deciding = store.transaction(
        (tx) => decideIn(tx, present(id), () => ({ externalId: "9" })),
        { look: () => Promise.resolve(null), waitAtMost: 20 },
      );
      await expect(deciding).rejects.toMatchObject({
        name: "LaneMadeMeanwhileError",
        message: "another transaction wrote the same lane for longer than the lock timeout",
        code: "40001",
        cause: { code: "55P03" },
      });
      gate.open();
      await holding;
    },
  );

  it("tells a fault from a lane that others are making", async () => {
    const { app } = await opened();
    const database = await connectTo(app);
    // No connection has this id.
    const key = issueKey(connectionId("99999"), "1");
    await expect(database.transaction((tx) => ensureLanesFree(tx, [key]))).rejects.toMatchObject({
      code: "23503",
    });
    await database.close();
  });

  it.runIf(kind === "postgres")(
    "lets a connection be switched on once what was decided while it was off is there",
    async () => {
      const { store, connection, app } = await opened();
      await store.directory.updateConnection(connection, { inbound: false });
      const [id] = await store.transaction((tx) => tx.ensureLanes([issueKey(connection, "1")]));
      const gate = opening();
      const saved = opening();
      const deciding = store.transaction(async (tx) => {
        await decideIn(tx, present(id), (lane, now) => ({
          live: [{ ...aQueued(lane, now), state: "disabled", reason: "connection_paused" }],
        }));
        saved.open();
        await gate.opened;
      });
      await saved.opened;
      const enabled = enableConnection({ store }, connection);
      await Promise.race([enabled, expect.poll(() => lockWaits(app)).toEqual([{ count: 1 }])]);
      gate.open();
      await Promise.all([deciding, enabled]);
      expect(await readLane(store, present(id))).toMatchObject({
        live: [{ state: "queued", reason: "re_enabled" }],
      });
    },
  );

  it.runIf(kind === "postgres")(
    "links no placeholder while somebody is about to give it a record",
    async () => {
      const { store, rows, app } = await opened({ identities });
      const references = [{ column: "owner_id", table: "users", actor: octocat }];
      const resolve = (tx: StoreTransaction) =>
        tx.records.resolveActors("github", references, anId());
      await store.transaction(resolve);
      const gate = opening();
      const begun = opening();
      const inbound = store.transaction(async (tx) => {
        const owner = await resolve(tx);
        begun.open();
        await gate.opened;
        await tx.records.insert(tasks, { title: "Theirs", ...owner }, anId());
      });
      await begun.opened;
      const [user = ""] = await rows.insert("users", { name: "Octo", github_login: "octocat" });
      const linking = store.transaction(async (tx) => {
        await tx.links.add(await tx.links.find([user]));
        const link = present((await tx.links.claim(tx.now)) ?? undefined);
        return tx.links.connect(link, anId());
      });
      // A query for records finds it from then on.
      const found = linking.then(() =>
        store.transaction((tx) => tx.records.referring(tasks, "owner_id", "1", null, 10)),
      );
      await Promise.race([found, expect.poll(() => lockWaits(app)).toEqual([{ count: 1 }])]);
      gate.open();
      await inbound;
      expect(await linking).toBe("connected");
      expect(await found).toEqual(["1"]);
      expect(await store.transaction(resolve)).toEqual({ owner_id: user });
    },
  );

  it.runIf(kind === "postgres")(
    "shows who waited for a place what was saved by whoever held it",
    async () => {
      const { store, connection, app } = await opened();
      const [id] = await store.transaction((tx) => tx.ensureLanes([issueKey(connection, "1")]));
      const gate = opening();
      const holds = opening();
      const first = store.transaction(async (tx) => {
        await decideIn(tx, present(id), () => ({ cameFrom: "77/7" }));
        await tx.holdPlace("issue", "77/7");
        holds.open();
        await gate.opened;
      });
      await holds.opened;
      await store.transaction((tx) => tx.holdPlace("issue", "77/8"));
      const second = store.transaction(async (tx) => {
        const before = await tx.findLanes({
          kind: "came_from",
          resourceType: "issue",
          place: "77/7",
        });
        await tx.holdPlace("issue", "77/7");
        return [
          before,
          await tx.findLanes({ kind: "came_from", resourceType: "issue", place: "77/7" }),
        ];
      });
      await Promise.race([second, expect.poll(() => lockWaits(app)).toEqual([{ count: 1 }])]);
      gate.open();
      await first;
      expect(await second).toMatchObject([[], [{ id }]]);
    },
  );

  sqlRecordsConformance(opened);
});

/** In this database: others of the server have waits of their own. */
function lockWaits(app: OpenedSqlStore["app"]) {
  return app.sql<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  );
}

/** Something that is waited for until it is opened. */
function opening(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const whenOpened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    opened: whenOpened,
    open: () => {
      open();
    },
  };
}
