/** P5 of accounts: one whose API answers slowly takes no more than its share of a worker's places. */
import { expect, it } from "vitest";
import type { Hold, RequestMatch } from "../../../src/testing/github/index.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import type { SampleTandem } from "../../harness/sample-tandem.ts";
import { givenTwoAccounts, SHOP } from "../../harness/two-accounts.ts";

const PLACES = 4;
/** All but the one that is kept free. */
const MOST = PLACES - 1;

/** Matches the request that creates an issue in a project's repository. */
async function creating(app: SampleTandem, project: string): Promise<RequestMatch> {
  const connections = await app.tandem.services.store.directory.connections();
  const id = connections.find(({ scope }) => scope === project)?.containerId ?? "";
  return { method: "POST", path: new RegExp(`/${id}/issues$`) };
}

/** Ten tasks, and the answers to the requests that make their issues are held. */
async function tenHeld(
  app: SampleTandem,
  request: RequestMatch,
  { project_id, title }: { readonly project_id: string; readonly title: string },
): Promise<readonly Hold[]> {
  const holds = Array.from({ length: 10 }, () => app.github.holdNext(request));
  for (const task of holds.keys())
    await app.addTask({ project_id, title: `${title} ${String(task)}` });
  return holds;
}

function answerAll(holds: readonly Hold[]): void {
  for (const hold of holds) {
    void hold.arrived.then(() => {
      hold.release();
    });
  }
}

/** A busy machine has its time. */
const SOON = { timeout: 20_000 };

describeOnOneDatabase("an account whose API is slow", (open) => {
  it("has nearly all places while nobody else waits, and holds no other account up", async () => {
    const app = await givenTwoAccounts(await open());
    const site = await creating(app, "1");
    const slow = await tenHeld(app, site, { project_id: "1", title: "Slow" });
    const worker = app.tandem.startWorker({ concurrency: PLACES });
    for (const { arrived } of slow.slice(0, MOST)) await arrived;

    for (const number of [1, 2, 3]) {
      await app.addTask({ project_id: "2", title: `Quick ${String(number)}` });
      worker.wake();
      await expect.poll(() => app.github.issues(SHOP).length, SOON).toBe(number);
    }
    expect(app.github.issues(app.repo)).toEqual([]);
    expect(app.github.calls(site)).toBe(MOST);

    answerAll(slow);
    await expect.poll(() => app.github.issues(app.repo).length, SOON).toBe(slow.length);
    await worker.stop();
  });

  it("waits for its turn where others wait: each has its part before one has more", async () => {
    const app = await givenTwoAccounts(await open());
    const site = await creating(app, "1");
    const slow = await tenHeld(app, site, { project_id: "1", title: "Slow" });
    const shop = await creating(app, "2");
    const quick = await tenHeld(app, shop, { project_id: "2", title: "Quick" });
    const worker = app.tandem.startWorker({ concurrency: PLACES });
    await expect.poll(() => app.github.calls(shop), SOON).toBe(2);
    expect(app.github.calls(site)).toBe(2);
    // A place that is free again is for whoever has fewer, though the slow ones wait longer.
    answerAll(quick);
    await expect.poll(() => app.github.issues(SHOP).length, SOON).toBe(quick.length);
    expect(app.github.issues(app.repo)).toEqual([]);

    answerAll(slow);
    await expect.poll(() => app.github.issues(app.repo).length, SOON).toBe(slow.length);
    await worker.stop();
  });

  it("costs the others no place for long: what it holds is lent to them, and not to itself", async () => {
    const app = await givenTwoAccounts(await open());
    const site = await creating(app, "1");
    const slow = await tenHeld(app, site, { project_id: "1", title: "Slow" });
    const worker = app.tandem.startWorker({ concurrency: PLACES });
    for (const { arrived } of slow.slice(0, MOST)) await arrived;
    await app.advance(1_000);

    const shop = await creating(app, "2");
    const quick = await tenHeld(app, shop, { project_id: "2", title: "Quick" });
    worker.wake();
    // One was free, and half of the four are lent.
    for (const { arrived } of quick.slice(0, 3)) await arrived;
    expect(app.github.calls(shop)).toBe(3);
    expect(app.github.calls(site)).toBe(MOST);

    answerAll(quick);
    await expect.poll(() => app.github.issues(SHOP).length, SOON).toBe(quick.length);
    answerAll(slow);
    await expect.poll(() => app.github.issues(app.repo).length, SOON).toBe(slow.length);
    await worker.stop();
  });
});
