/** Answers to edits that come at once are stored together, each as if it were alone. */
import { expect, it } from "vitest";
import type { LaneId } from "../../../src/model/ids.ts";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { claimDue } from "../../../src/runtime/worker/claim-due.ts";
import { drainChanges } from "../../../src/runtime/outbound/drain.ts";
import type { Failpoint, FailpointContext } from "../../../src/runtime/services/failpoints.ts";
import { processClaimed } from "../../../src/runtime/worker/process-claimed.ts";
import type { Services } from "../../../src/runtime/services/services.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** Three tasks with an issue each, and an edit of each that is claimed and begun. */
async function givenClaimedEdits(database: TestDatabase) {
  const { log, lines } = keptLog();
  const app = await givenSampleTandem(database, undefined, { log });
  const ids = [
    await app.addTask({ title: "One" }),
    await app.addTask({ title: "Two" }),
    await app.addTask({ title: "Three" }),
  ];
  await app.settle();
  for (const id of ids) await app.editTask(id, { title: `Edited ${id}` });
  const { services } = app.tandem;
  await drainChanges(services);
  const book = await DirectorySnapshot.open(services);
  const claims = await claimDue(services, book, "ada", 60_000, 16);
  app.github.clearRequests();

  /** Works on all at once: the other answers come while the first is being stored. */
  async function work(
    reach: (point: Failpoint, lane: LaneId | null) => void = () => undefined,
    killed: AbortSignal = new AbortController().signal,
    isKilled: (lane: LaneId) => boolean = () => true,
  ) {
    const first = claims[0]?.lane;
    const firstIsHeld = signal();
    const othersHaveCome = signal();
    let toCome = claims.length - 1;
    let transactions = 0;
    const counted: Services = {
      ...services,
      store: {
        ...services.store,
        transaction: (doIt, beginning) => {
          transactions += 1;
          return services.store.transaction(doIt, beginning);
        },
      },
      failpoints: {
        async reach(point: Failpoint, { lane }: FailpointContext) {
          if (point === "before:answer" && lane === first) {
            firstIsHeld.give();
            await othersHaveCome.given;
          }
          if (point === "after:send" && lane !== first) {
            await firstIsHeld.given;
            toCome -= 1;
            if (toCome === 0) othersHaveCome.give();
          }
          reach(point, lane);
        },
      },
    };
    const others = new AbortController().signal;
    await Promise.all(
      claims.map((claimed) =>
        processClaimed(counted, claimed, book, isKilled(claimed.lane) ? killed : others),
      ),
    );
    return { transactions };
  }
  return { app, ids, claims, work, lines };
}

function signal() {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

const titles = (app: SampleTandem) => app.github.issues(app.repo).map(({ title }) => title);
const outcomes = async (app: SampleTandem) => (await app.story("direction=outbound")).slice(-3);
const UPDATED = "outbound completed updated_resource";

describeOnOneDatabase("answers that come at once", (open) => {
  it("are stored by one transaction while the one before is under way", async () => {
    const { app, ids, work } = await givenClaimedEdits(await open());
    expect(await work()).toEqual({ transactions: 2 });
    expect(titles(app)).toEqual(ids.map((id) => `Edited ${id}`));
    expect(await outcomes(app)).toEqual([UPDATED, UPDATED, UPDATED]);
    expect(app.github.calls()).toBe(3);
    await app.settle();
    expect(app.writes()).toBe(3);
  });

  it("bring an edit that a person made to the issue meanwhile: that answer is stored alone", async () => {
    const { app, ids, work } = await givenClaimedEdits(await open());
    const [, , third] = app.github.issues(app.repo);
    if (third === undefined) throw new Error("there are three issues");
    app.github.faults.webhooks.drop = 1;
    app.github.as("mona").editIssue(app.repo, third.number, { body: "Seen by nobody yet" });
    expect(await work()).toEqual({ transactions: 3 });
    const [, , task] = await app.tasks();
    expect(task).toMatchObject({ title: `Edited ${ids[2] ?? ""}`, markdown: "Seen by nobody yet" });
    expect(await outcomes(app)).toEqual([UPDATED, UPDATED, UPDATED]);
    expect(app.github.calls()).toBe(3);
  });

  it("S48 are none of ours where the lease has passed on: the others end", async () => {
    const { app, claims, work } = await givenClaimedEdits(await open());
    const [, second] = claims;
    if (second === undefined) throw new Error("there are three claims");
    await app.tandem.services.store.transaction(async (tx) => {
      const [before] = await tx.lockLanes([second.lane]);
      if (before === undefined) throw new Error("the lane is there");
      // As if it had run out, and another worker had taken it.
      await tx.saveLanes([{ before, after: { lane: { ...before, epoch: 99 }, ended: [] } }]);
    });
    // The first by itself, and the other two: nothing is tried once more.
    expect(await work()).toEqual({ transactions: 2 });
    expect(await outcomes(app)).toEqual([UPDATED, "outbound processing being_processed", UPDATED]);
  });

  it("are each stored alone if the database refuses to store them together", async () => {
    const { app, ids, claims, work, lines } = await givenClaimedEdits(await open());
    const [first, second] = claims;
    const refused = new Set([first?.lane, second?.lane]);
    const { transactions } = await work((point, lane) => {
      if (point === "before:answer" && lane !== null && refused.delete(lane)) {
        throw new Error("not together");
      }
    });
    // The first by itself, the other two together, and each of the three once more.
    expect(transactions).toBe(5);
    const message = "a batch of answers failed; each is merged singly";
    expect(lines).toEqual([
      { message, error: "not together" },
      { message, error: "not together" },
    ]);
    expect(titles(app)).toEqual(ids.map((id) => `Edited ${id}`));
    expect(await outcomes(app)).toEqual([UPDATED, UPDATED, UPDATED]);
    expect(app.github.calls()).toBe(3);
  });

  it("stay unknown where their worker is killed over them: nothing is tried again", async () => {
    const { app, work, lines } = await givenClaimedEdits(await open());
    const killed = new AbortController();
    const died = work((point) => {
      if (point !== "before:answer") return;
      killed.abort();
      throw new Error("killed");
    }, killed.signal);
    expect(await died).toEqual({ transactions: 2 });
    expect(lines).not.toContainEqual(
      expect.objectContaining({
        message: expect.stringContaining("each is merged singly") as string,
      }),
    );
    expect(new Set(await outcomes(app))).toEqual(new Set(["outbound processing being_processed"]));
    expect(app.github.calls()).toBe(3);
  });

  it("stay unknown where the worker of one of them is killed: that one is not written again", async () => {
    const { app, claims, work, lines } = await givenClaimedEdits(await open());
    const second = claims[1]?.lane;
    const killed = new AbortController();
    const isSecond = (lane: LaneId | null) => lane === second;
    await work(
      (point, lane) => {
        if (point !== "before:answer" || !isSecond(lane) || killed.signal.aborted) return;
        killed.abort();
        throw new Error("killed");
      },
      killed.signal,
      isSecond,
    );
    expect(lines.map(({ message }) => message)).toEqual(["an event failed"]);
    const [first, its] = await outcomes(app);
    expect([first, its]).toEqual([UPDATED, "outbound processing being_processed"]);
    await app.advance(10 * 60_000);
    await app.settle();
    expect(await outcomes(app)).not.toContain("outbound processing being_processed");
    expect(app.writes()).toBe(3);
  });
});
