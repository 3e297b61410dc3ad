/** Situation 72: one statement changes very many rows, and a user's edit is captured behind it. */
import { expect, it } from "vitest";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

const MANY = 4_000;

describeOnOneDatabase("a bulk update and one user's edit behind it", (open) => {
  it("S72 the edit is drained by the next batch, the bulk goes on, and nothing of it is lost", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("insert into projects (name) values ('Not connected')");
    const task = await app.addTask({ title: "Edited by a user" });
    await app.settle();
    const undrained = async () => (await app.status()).undrained;
    await app.sql(
      `insert into tasks (project_id, owner_id, title)
       select 2, 1, 'Bulk ' || number from generate_series(1, ${String(MANY)}) as number`,
    );
    await drainChanges(app.tandem.services);
    const left = await undrained();
    expect(left).toBeLessThan(MANY);

    await app.editTask(task, { title: "Edited behind the bulk" });
    await drainChanges(app.tandem.services);
    expect(await undrained()).toBeGreaterThan(left - 600);
    const [edit] = (await app.events(`record=tasks:${task}&direction=outbound`)).slice(-1);
    expect(edit).toMatchObject({ source: "change", state: "queued" });

    await app.settle();
    expect(await undrained()).toBe(0);
    expect(app.github.issues(app.repo)[0]?.title).toBe("Edited behind the bulk");
  });

  it("S72 writes of one record keep their order, also where the first is within the bulk", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("insert into projects (name) values ('Not connected')");
    await app.sql(
      `insert into tasks (project_id, owner_id, title)
       select 2, 1, 'Bulk ' || number from generate_series(1, ${String(MANY)}) as number`,
    );
    await app.sql("update tasks set title = 'Second' where title = $1", [`Bulk ${String(MANY)}`]);
    const taken = await app.tandem.services.store.transaction((tx) => tx.changes.take(500));
    const last = taken.filter(({ recordId }) => recordId === String(MANY));
    expect(last.map(({ operation }) => operation)).toEqual(["insert", "update"]);
  });

  it("S72 several small transactions behind it are drained with it, whole or in part", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("insert into projects (name) values ('Not connected')");
    await app.sql(
      `insert into tasks (project_id, owner_id, title)
       select 2, 1, 'Bulk ' || number from generate_series(1, ${String(MANY)}) as number`,
    );
    for (const title of ["One", "Two", "Three"]) await app.addTask({ title });
    await drainChanges(app.tandem.services);
    const waiting = await app.sql<{ record_id: string }>("select record_id from tandem.lanes");
    expect(waiting).toHaveLength(3);
  });
});
