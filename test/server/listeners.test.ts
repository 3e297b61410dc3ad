/** `tandem.on`: the app hears what became of events, from here and from elsewhere. */
import { expect, it } from "vitest";
import { withConflictPolicy } from "../harness/sample-policies.ts";
import { describeOnOneDatabase, type TestDatabase } from "../harness/databases.ts";
import { keptLog } from "../harness/kept-log.ts";
import { givenSampleTandem, journaled } from "../harness/sample-tandem.ts";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import type { Log } from "../../src/runtime/services/log.ts";
import { createTandem } from "../../src/server/tandem.ts";
import { TEST_ENVIRONMENT } from "../../src/testing/test-tandem.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

function sourceOf({ pglite, url }: TestDatabase): string | object {
  const source = pglite ?? url;
  if (source === undefined) throw new Error("the database has neither a PGlite nor a URL");
  return source;
}

/** The texts that were logged as errors. */
function listeningLog(): { readonly log: Log; readonly errors: unknown[] } {
  const errors: unknown[] = [];
  const quiet = () => undefined;
  const log = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (details: object, message: string) => void errors.push({ ...details, message }),
  };
  return { log, errors };
}

describeOnOneDatabase("listeners", (open) => {
  it("hear each state an event comes into, in order, once it is committed", async () => {
    const app = await givenSampleTandem(await open());
    const heard: string[] = [];
    const committed: Promise<unknown>[] = [];
    for (const name of ["queued", "processing", "completed", "duplicate"] as const) {
      app.tandem.on(name, ({ event }) => {
        heard.push(`${name} ${event.direction}`);
        committed.push(app.events(`state=${name}`));
      });
    }
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.settle();
    expect(heard).toEqual(["queued inbound", "processing inbound", "completed inbound"]);
    const { id } = await app.task();
    await app.editTask(id, { title: "Two" });
    await app.settle();
    expect(heard.slice(3)).toEqual([
      "queued outbound",
      "processing outbound",
      "completed outbound",
      "duplicate inbound",
    ]);
    expect((await committed[2]) as unknown[]).toHaveLength(1);
  });

  it("hear of a conflict with what was lost, and of an error with its hint", async () => {
    const app = await givenSampleTandem(await open(), withConflictPolicy("resource-wins"));
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Old" });
    await app.settle();
    const { id } = await app.task();
    const heard: unknown[] = [];
    app.tandem.on("conflict", ({ event, conflicts }) => {
      heard.push([event.recordType, event.recordId, conflicts.map(({ lost }) => lost)]);
    });
    app.tandem.on("errored", ({ error }) => void heard.push(error.code));

    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(1_000);
    await app.editTask(id, { title: "Mine" });
    await app.settle();
    expect(heard).toEqual([["tasks", id, ["Mine"]]]);

    await app.sql("alter table tasks add check (title <> 'No')");
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "No" });
    await app.settle();
    expect(heard).toEqual([["tasks", id, ["Mine"]], "check_violated"]);
  });

  it("hear nothing of a transaction that was rolled back", async () => {
    const app = await givenSampleTandem(await open());
    const heard: string[] = [];
    app.tandem.on("queued", ({ event }) => void heard.push(event.reason));
    await app.sql(`
      create function too_late() returns trigger language plpgsql as $$
      begin raise exception 'not today'; end $$;
      create constraint trigger too_late after insert on tandem.events_live
        deferrable initially deferred for each row execute function too_late()`);
    await app.addTask({ title: "One" });
    await expect(app.tandem.settle()).rejects.toThrow("not today");
    expect(heard).toEqual([]);
  });

  it("that throw or reject are logged, and neither the work nor other listeners notice", async () => {
    const database = await open();
    const app = await givenSampleTandem(database);
    const { log, errors } = listeningLog();
    const other = await createTandem(sampleConfig(sourceOf(database)), {
      clock: app.clock,
      environment: TEST_ENVIRONMENT,
      fetch: app.github.fetch,
      log,
    });
    const heard: string[] = [];
    other.on("completed", () => {
      throw new Error("badly written");
    });
    other.on("completed", () => Promise.reject(new Error("badly awaited")));
    other.on("completed", ({ event }) => void heard.push(event.reason));
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await other.syncNow();
    await other.settle();
    expect(heard).toEqual(["created_record"]);
    const [event] = await app.events();
    const failed = { message: "a listener failed", listener: "completed", event: event?.id };
    expect(errors).toEqual([
      { ...failed, error: "badly written" },
      { ...failed, error: "badly awaited" },
    ]);
    expect(await app.tasks()).toHaveLength(1);
    await other.stop();
  });

  it("stop when they are told to, each by itself", async () => {
    const app = await givenSampleTandem(await open());
    const heard: string[] = [];
    const listener = () => void heard.push("heard");
    const stopFirst = app.tandem.on("completed", listener);
    app.tandem.on("completed", listener);
    stopFirst();
    stopFirst();
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.settle();
    expect(heard).toEqual(["heard"]);
  });

  it("hear of their own process's work once, also if they ask for that of others", async () => {
    const app = await givenSampleTandem(await open());
    const heard: string[] = [];
    const looked = () => expect.poll(() => app.clock.nextTimer()).not.toBeNull();
    app.tandem.on("completed", ({ event }) => void heard.push(event.reason), { everywhere: true });
    await looked();
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.settle();
    for (let look = 0; look < 3; look += 1) {
      await app.advance(400);
      await looked();
    }
    expect(heard).toEqual(["created_record"]);
  });

  it("hear of their own process's work and of others', each once, and of no journal", async () => {
    const database = await open();
    const app = await givenSampleTandem(database, journaled);
    const { log, lines } = keptLog();
    const other = await createTandem(journaled(sampleConfig(sourceOf(database))), {
      clock: app.clock,
      environment: TEST_ENVIRONMENT,
      fetch: app.github.fetch,
      log,
    });
    const heard: string[] = [];
    other.on("completed", ({ event }) => void heard.push(event.reason), { everywhere: true });
    await expect.poll(() => app.clock.nextTimer()).not.toBeNull();
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await other.syncNow();
    await other.settle();
    await app.editTask((await app.task()).id, { title: "Two" });
    await app.settle();
    await expect
      .poll(() => {
        app.clock.advance(400);
        return heard.length;
      })
      .toBeGreaterThan(1);
    await other.stop();
    expect(heard).toEqual(["created_record", "updated_resource"]);
    expect(lines.filter((line) => "error" in line)).toEqual([]);
  });

  it("go on hearing of other processes behind a look that failed, which is logged", async () => {
    const database = await open();
    const { log, lines } = keptLog();
    let isDown = false;
    const app = await givenSampleTandem(database, undefined, {
      log,
      wrapStore: (store) => ({
        ...store,
        ledger: {
          ...store.ledger,
          events: (query) =>
            isDown ? Promise.reject(new Error("no database")) : store.ledger.events(query),
        },
      }),
    });
    const heard: string[] = [];
    const looks = () => expect.poll(() => app.clock.nextTimer()).not.toBeNull();
    app.tandem.on("completed", ({ event }) => void heard.push(event.reason), { everywhere: true });
    await looks();
    isDown = true;
    app.clock.advance(400);
    await looks();
    expect(lines).toContainEqual({
      message: "the ledger could not be read",
      error: "no database",
    });
    isDown = false;

    const other = await createTandem(sampleConfig(sourceOf(database)), {
      clock: app.clock,
      environment: TEST_ENVIRONMENT,
      fetch: app.github.fetch,
    });
    app.holdWebhooks();
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await other.syncNow();
    await other.settle();
    await expect
      .poll(() => {
        app.clock.advance(400);
        return heard;
      })
      .toEqual(["created_record"]);
    await other.stop();
  });

  it("hear of other processes' work if they ask for it, once, and not of what was before", async () => {
    const database = await open();
    const app = await givenSampleTandem(database);
    app.github.as("mona").openIssue(app.repo, { title: "Before" });
    await app.settle();

    const clock = new VirtualClock();
    const web = await createTandem(sampleConfig(sourceOf(database)), { clock });
    const heard: string[] = [];
    const own: string[] = [];
    const looks = async (expected: number) => {
      await expect
        .poll(() => {
          clock.advance(400);
          return heard.length;
        })
        .toBe(expected);
    };
    const stop = web.on("completed", ({ event }) => void heard.push(event.reason), {
      everywhere: true,
    });
    web.on("completed", ({ event }) => void own.push(event.reason));
    // A second listener that stops leaves the first one listening.
    web.on("queued", () => undefined, { everywhere: true })();
    // Its first look has been when it has asked for the next one.
    await expect.poll(() => clock.nextTimer()).not.toBeNull();

    const { id } = await app.task();
    await app.editTask(id, { title: "After" });
    await app.settle();
    await looks(1);
    expect(heard).toEqual(["updated_resource"]);
    expect(own).toEqual([]);

    stop();
    expect(clock.nextTimer()).toBeNull();
    await web.stop();
  });
});
