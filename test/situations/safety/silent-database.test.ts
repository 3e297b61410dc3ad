/**
 * Situation 65, as a receiver and a worker meet it on any database: what was asked has no answer. The
 * waits for a real Postgres that falls silent are in test/store and test/processes.
 */
import { expect, it } from "vitest";
import { ConnectionLostError, NoAnswerError } from "../../../src/store/database/database.ts";
import type { Store } from "../../../src/store/store.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** Each look moves virtual time on; how many there are is the machine's. */
const PATIENTLY = { timeout: 30_000, interval: 20 };

/** A store that can fall silent; its queries fail when it is given up, as a driver's do. */
function silenceable() {
  let giveUp: ((error: Error) => void)[] | null = null;
  const ask = <T>(work: () => Promise<T>): Promise<T> => {
    const waiting = giveUp;
    if (waiting === null) return work();
    return new Promise((_resolve, reject) => waiting.push(reject));
  };
  return {
    wrapStore: (store: Store): Store => ({
      ...store,
      transaction: (work, beginning) => ask(() => store.transaction(work, beginning)),
      deliveries: {
        ...store.deliveries,
        receive: (deliveries) => ask(() => store.deliveries.receive(deliveries)),
      },
    }),
    waiting: () => giveUp?.length ?? 0,
    silence() {
      giveUp = [];
    },
    comeBack() {
      const waiting = giveUp ?? [];
      giveUp = null;
      for (const reject of waiting) {
        reject(new ConnectionLostError("unknown", new NoAnswerError(30_000)));
      }
    },
  };
}

/** Moves time until the promise has settled, in seconds. */
async function secondsUntil(app: SampleTandem, waitedFor: Promise<unknown>): Promise<number> {
  const start = app.clock.now();
  let settled = false;
  const note = () => {
    settled = true;
  };
  waitedFor.then(note, note);
  await expect
    .poll(() => {
      if (!settled) app.clock.advance(500);
      return settled;
    }, PATIENTLY)
    .toBe(true);
  return (app.clock.now() - start) / 1_000_000;
}

describeOnOneDatabase("S65 a database that falls silent", (open) => {
  it("S65: health says so within ten seconds, and so does the receiver before GitHub loses patience", async () => {
    const database = silenceable();
    const app = await givenSampleTandem(await open(), undefined, database);
    database.silence();
    const health = app.tandem.fetch(new Request("http://localhost/healthz"));
    expect(await secondsUntil(app, health)).toBeLessThan(10);
    expect((await health).status).toBe(503);
    expect(await (await health).json()).toMatchObject({ error: { code: "database_slow" } });

    app.github.as("mona").openIssue(app.repo, { title: "Said while it is silent" });
    await expect
      .poll(() => {
        if (app.github.pendingDeliveries > 0) app.clock.advance(500);
        return app.github.deliveries.at(-1)?.statusCode;
      }, PATIENTLY)
      .toBe(503);

    database.comeBack();
    const [delivery] = app.github.deliveries;
    if (delivery !== undefined) app.github.redeliver(delivery.id);
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Said while it is silent" });
    const well = await app.tandem.fetch(new Request("http://localhost/healthz"));
    expect(well.status).toBe(200);
  });

  it("S65: a step that is given up is done again, and nothing is lost or doubled", async () => {
    const database = silenceable();
    const app = await givenSampleTandem(await open(), undefined, database);
    await app.addTask({ title: "Written before" });
    database.silence();
    const settling = app.tandem.settle();
    await app.addTask({ title: "Written meanwhile" });
    await expect.poll(database.waiting, PATIENTLY).toBeGreaterThan(0);
    database.comeBack();
    await expect(settling).rejects.toBeInstanceOf(ConnectionLostError);
    await app.settle();
    const titles = app.github.issues(app.repo).map(({ title }) => title);
    expect(titles.sort()).toEqual(["Written before", "Written meanwhile"]);
    expect(app.writes()).toBe(2);
  });
});
