import { it } from "vitest";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { openStore, aQueued, issueKey } from "./opened-store.ts";
describeOnEachDatabase("scratch", (open, kind) => {
  it("bench", { timeout: 300000 }, async () => {
    const opened = await openStore(await open());
    const { store, app, connection } = opened;
    const total = kind === "postgres" ? 200_000 : 20_000;
    await app.sql(`insert into tandem.lanes (connection_id, resource_type, record_type, external_id)
      select 1, 'issue', 'tasks', n::text from generate_series(1, ${total}) n;
      insert into tandem.integration_records (id) select id from tandem.lanes`);
    await app.sql("analyze tandem.lanes");
    const content = { title: "A".repeat(50), body: "b".repeat(1900) };
    const t: Record<string, number> = {};
    const time = async <T>(n: string, f: () => Promise<T>) => {
      const s = performance.now();
      const r = await f();
      t[n] = (t[n] ?? 0) + performance.now() - s;
      return r;
    };
    const batch = 500;
    const rounds = 6;
    for (let r = 0; r < rounds; r++) {
      await store.transaction(async (tx) => {
        const ids = await time("ensure", () =>
          tx.ensureLanes(
            Array.from({ length: batch }, (_, i) =>
              issueKey(connection, String(1 + ((r * 7919 + i * 37) % total))),
            ),
          ),
        );
        const lanes = await time("lock", () => tx.lockLanes([...new Set(ids)]));
        await time("save admit", () =>
          tx.saveLanes(
            lanes.map((before) => {
              const e = { ...aQueued(before, tx.now), content };
              return {
                before,
                after: {
                  lane: {
                    ...before,
                    live: [...before.live.filter((x) => false), e],
                    known: { content, digest: "x", at: tx.now, event: e.id, lost: false },
                  },
                  ended: before.live.map((x) => ({
                    ...x,
                    state: "canceled" as const,
                    finishedAt: tx.now,
                  })),
                },
              };
            }),
          ),
        );
      });
      await store.transaction(async (tx) => {
        const lanes = await time("lockDue", () => tx.lockDueLanes(batch));
        await time("save claim", () =>
          tx.saveLanes(
            lanes.map((before) => ({
              before,
              after: {
                lane: {
                  ...before,
                  epoch: before.epoch + 1,
                  live: before.live.map((e) => ({
                    ...e,
                    state: "processing" as const,
                    leaseExpiresAt: tx.now,
                  })),
                },
                ended: [],
              },
            })),
          ),
        );
      });
      await store.transaction(async (tx) => {
        const lanes = await time("lockExpired", () => tx.lockExpiredLanes(batch));
        await time("save end", () =>
          tx.saveLanes(
            lanes.map((before) => ({
              before,
              after: {
                lane: { ...before, base: content, copy: content, live: [] },
                ended: before.live.map((x) => ({
                  ...x,
                  state: "completed" as const,
                  finishedAt: tx.now,
                })),
              },
            })),
          ),
        );
      });
    }
    const n = batch * rounds;
    console.log(
      kind,
      Object.fromEntries(
        Object.entries(t).map(([k, v]) => [k, ((v * 1000) / n).toFixed(1) + " us/event"]),
      ),
      "total",
      ((Object.values(t).reduce((a, b) => a + b) * 1000) / n).toFixed(0),
    );
    await store.close();
  });
  it("trigger cost", { timeout: 300000 }, async () => {
    const opened = await openStore(await open());
    const { store, app } = opened;
    await app.sql(
      `insert into tasks (title, markdown) select 't', repeat('x', 1000) from generate_series(1, 20000)`,
    );
    const time = async (n: string, q: string) => {
      const s = performance.now();
      await app.sql(q);
      console.log(kind, n, (((performance.now() - s) * 1000) / 20000).toFixed(2), "us/row");
    };
    for (let i = 0; i < 2; i++) {
      await time("card", "update tasks set card_position = card_position + 1");
      await time("title", "update tasks set title = title || 'x'");
    }
    await app.sql("alter table tasks disable trigger all");
    for (let i = 0; i < 2; i++) {
      await time("no trigger card", "update tasks set card_position = card_position + 1");
      await time("no trigger title", "update tasks set title = title || 'x'");
    }
    await store.close();
  });
});
