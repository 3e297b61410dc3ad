/** Refused webhooks are counted in the database, although anybody may send one at any time. */
import { beforeEach, describe, expect, it } from "vitest";
import { addMillis } from "../../../src/model/instant.ts";
import { silentLog } from "../../../src/runtime/services/log.ts";
import { countRefusedWebhooks } from "../../../src/runtime/receive/refused-webhooks.ts";
import type { Refusals } from "../../../src/store/refusals.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { type OpenedStore, openMemoryStore } from "../../store/opened-store.ts";

describe("refused webhooks", () => {
  const clock = new VirtualClock();
  let opened: OpenedStore;

  beforeEach(async () => {
    opened = await openMemoryStore();
  });

  async function counted(): Promise<number> {
    const { refusals } = opened.store;
    const all = await refusals.since(addMillis(clock.now(), -365 * 24 * 3_600_000));
    return all.reduce((sum, { count }) => sum + count, 0);
  }

  it("that are written as the process stops are in the database once it has stopped", async () => {
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const slow = {
      async add(refusals: readonly Refusals[]): Promise<void> {
        await held;
        await opened.store.refusals.add(refusals);
      },
    };
    const refused = countRefusedWebhooks(slow, new Map(), { clock, log: silentLog });
    refused.note("github", "signature_mismatch");
    clock.advance(10_000);
    let isStopped = false;
    const stopped = refused.stop().then(() => {
      isStopped = true;
    });
    await new Promise(setImmediate);
    expect(isStopped).toBe(false);
    letGo();
    await stopped;
    expect(await counted()).toBe(1);
  });

  it("that the database did not take are written with the last of them", async () => {
    let isDown = true;
    const flaky = {
      async add(refusals: readonly Refusals[]): Promise<void> {
        if (isDown) throw new Error("the database is away");
        await opened.store.refusals.add(refusals);
      },
    };
    const refused = countRefusedWebhooks(flaky, new Map(), { clock, log: silentLog });
    refused.note("github", "signature_mismatch");
    clock.advance(10_000);
    isDown = false;
    refused.note("github", "signature_mismatch");
    await refused.stop();
    expect(await counted()).toBe(2);
  });
});
