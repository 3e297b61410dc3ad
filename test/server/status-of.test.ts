/** `tandem.statusOf`: a badge for each row of the app's own pages. */
import type { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { expect, it } from "vitest";
import { createTandem } from "../../src/server/tandem.ts";
import { REASONS } from "../../src/model/event.ts";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { describeOnOneDatabase, type TestDatabase } from "../harness/databases.ts";
import { catchRequest, PATCH_ISSUE } from "../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

async function statusOf(app: SampleTandem, id: string) {
  return (await app.tandem.statusOf("tasks", [id]))[id];
}

/** The database as Tandem is given it, with a count of the statements that go to it. */
function counted(database: TestDatabase): {
  readonly source: object;
  readonly statements: () => number;
  readonly close: () => Promise<void>;
} {
  let statements = 0;
  const counting = <T extends object>(source: T) =>
    new Proxy(source, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (["query", "exec", "connect", "transaction"].includes(String(name))) statements += 1;
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  if (database.pglite !== undefined) {
    const source: PGlite = counting(database.pglite);
    return { source, statements: () => statements, close: () => Promise.resolve() };
  }
  const pool = new pg.Pool({ connectionString: database.url });
  return { source: counting(pool), statements: () => statements, close: () => pool.end() };
}

describeOnOneDatabase("the status of records", (open) => {
  it("goes from unpaired over pending to in sync, with the counterpart's page", async () => {
    const app = await givenSampleTandem(await open());
    expect(await statusOf(app, "77")).toEqual({
      state: "unpaired",
      counterparts: [],
      reason: null,
      because: "It has no counterpart.",
      error: null,
      conflicts: [],
    });
    const elsewhere = await app.addTask({ title: "Not connected", project_id: "1" });
    expect(await statusOf(app, elsewhere)).toMatchObject({ state: "pending", reason: null });

    app.github.failNext({ method: "POST", with: 503 });
    await app.settle();
    expect(await statusOf(app, elsewhere)).toMatchObject({ state: "pending", reason: "retry" });

    await app.settleWithin(10);
    expect(await statusOf(app, elsewhere)).toEqual({
      state: "in_sync",
      counterparts: [
        {
          integration: "github",
          type: "issue",
          externalId: "1",
          url: expect.stringMatching(/acme\/site\/issues\/1$/),
        },
      ],
      reason: null,
      because: "Both sides agree.",
      error: null,
      conflicts: [],
    });
  });

  it("says what went wrong, and what to do about it", async () => {
    const app = await givenSampleTandem(await open());
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "One" });
    await app.settle();
    const { id } = await app.task();
    await app.sql("alter table tasks add check (title <> 'No')");
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "No" });
    await app.settle();
    expect(await statusOf(app, id)).toMatchObject({
      state: "errored",
      reason: "failed",
      because: REASONS.failed,
      error: { code: "check_violated", hint: expect.stringMatching(/./) as string },
      counterparts: [{ externalId: "1" }],
    });
  });

  it("says that something waits while the connection is off", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "One" });
    await app.settle();
    await app.tandem.pause(app.connection.id, "release day");
    expect(await statusOf(app, id)).toMatchObject({ state: "in_sync" });
    await app.editTask(id, { title: "Two" });
    await app.settle();
    expect(await statusOf(app, id)).toMatchObject({
      state: "disabled",
      reason: "connection_paused",
      because: REASONS.connection_paused,
      error: null,
    });
  });

  it("is syncing while a request is on its way, and while its outcome is unknown", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "One" });
    await app.settle();
    await app.editTask(id, { title: "Two" });
    const sent = await catchRequest(app, PATCH_ISSUE);
    expect(await statusOf(app, id)).toMatchObject({ state: "syncing", error: null });
    sent.hold.drop("reset");
    await sent.done;
    expect(await statusOf(app, id)).toMatchObject({ state: "pending", reason: "retry" });

    const [waiting] = await app.events(`record=tasks:${id}&state=queued`);
    const path = `http://localhost/api/events/${waiting?.id ?? ""}/cancel`;
    await app.tandem.fetch(new Request(path, { method: "POST" }));
    expect(await statusOf(app, id)).toMatchObject({
      state: "syncing",
      reason: null,
      because: "A request was sent and its outcome is unknown.",
      counterparts: [{ externalId: "1" }],
    });
  });

  it("shows what was lost of late", async () => {
    const app = await givenSampleTandem(await open());
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Old" });
    await app.settle();
    const { id } = await app.task();
    await app.advance(5_000);
    await app.editTask(id, { title: "Mine" });
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(1_000);
    await app.settle();
    const status = await statusOf(app, id);
    expect(status).toMatchObject({
      state: "in_sync",
      conflicts: [{ field: "title", winner: "resource", kept: "Theirs", lost: "Mine" }],
    });
    const [event] = await app
      .events(`state=completed&record=tasks:${id}`)
      .then((events) => events.filter(({ conflicts }) => conflicts.length > 0));
    expect(status?.conflicts[0]?.event).toBe(event?.id);

    await app.advance(5_000);
    await app.editTask(id, { title: "Mine again" });
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Theirs again" });
    await app.advance(1_000);
    await app.settle();
    expect((await statusOf(app, id))?.conflicts).toMatchObject([
      { kept: "Theirs again", lost: "Mine again" },
      { kept: "Theirs", lost: "Mine" },
    ]);
  });

  it("a deleted counterpart is none", async () => {
    const app = await givenSampleTandem(await open());
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "One" });
    await app.settle();
    const { id } = await app.task();
    await app.advance(5_000);
    mona.deleteIssue(app.repo, 1);
    await app.settle();
    expect(await statusOf(app, id)).toMatchObject({ state: "unpaired", counterparts: [] });
  });

  it("takes one statement for a hundred records", async () => {
    const database = await open();
    const app = await givenSampleTandem(database);
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.settle();
    const { id } = await app.task();
    const { source, statements, close } = counted(database);
    const tandem = await createTandem(sampleConfig(source));
    const ids = Array.from({ length: 100 }, (_, index) => index + 1);

    const before = statements();
    const status = await tandem.statusOf("tasks", ids);
    expect(statements() - before).toBe(1);
    expect(Object.keys(status)).toHaveLength(100);
    expect(status[id]?.state).toBe("in_sync");
    expect(status[100]?.state).toBe("unpaired");

    expect(await tandem.statusOf("tasks", [])).toEqual({});
    expect(statements() - before).toBe(1);
    await close();
  });

  it("does not say that both sides agree where somebody canceled what was to be sent", async () => {
    const app = await givenSampleTandem(await open());
    const id = await app.addTask({ title: "Sent" });
    await app.settle();
    app.github.faults.api.refuseConnections = true;
    await app.editTask(id, { title: "Never sent" });
    await app.tandem.settle();
    const [waiting] = await app.events(`record=tasks:${id}&state=queued`);
    const cancel = new Request(`http://localhost/api/events/${waiting?.id ?? ""}/cancel`, {
      method: "POST",
    });
    expect((await app.tandem.fetch(cancel)).status).toBe(200);
    expect(await statusOf(app, id)).toMatchObject({
      state: "canceled",
      reason: "canceled_by_hand",
      because: REASONS.canceled_by_hand,
      error: null,
      counterparts: [{ externalId: "1" }],
    });

    app.github.faults.api.refuseConnections = false;
    await app.editTask(id, { title: "Sent after all" });
    await app.settle();
    expect(await statusOf(app, id)).toMatchObject({ state: "in_sync" });
  });
});
