/** How often a worker asks whether code and schema fit, and what it says when they do not. */
import { beforeEach, describe, expect, it } from "vitest";
import { watchSchema } from "../../../src/runtime/safety/schema-check.ts";
import type { SchemaMismatch } from "../../../src/store/database/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { keptLog, type Line } from "../../harness/kept-log.ts";
import { openMemoryStore } from "../../store/opened-store.ts";

const MISFIT: SchemaMismatch = { code: "schema_newer", message: "newer", hint: "Update Tandem." };

describe("a worker's look at the schema", () => {
  let clock: VirtualClock;
  let asked: number;
  let answer: () => Promise<SchemaMismatch | null>;
  let fits: () => Promise<boolean>;
  let lines: Line[];

  beforeEach(async () => {
    const { store } = await openMemoryStore();
    clock = new VirtualClock();
    asked = 0;
    answer = () => store.schemaMismatch();
    const kept = keptLog();
    ({ lines } = kept);
    const counting = {
      ...store,
      schemaMismatch: () => {
        asked += 1;
        return answer();
      },
    };
    fits = watchSchema({ store: counting, clock, log: kept.log });
  });

  it("is one for all loops of a second", async () => {
    expect(await Promise.all([fits(), fits(), fits()])).toEqual([true, true, true]);
    clock.advance(999);
    await fits();
    expect(asked).toBe(1);
    clock.advance(1);
    await fits();
    expect(asked).toBe(2);
    expect(lines).toEqual([]);
  });

  it("is repeated at once if it failed", async () => {
    answer = () => Promise.reject(new Error("away"));
    await expect(fits()).rejects.toThrow("away");
    answer = () => Promise.resolve(null);
    expect(await fits()).toBe(true);
    expect(asked).toBe(2);
  });

  it("is told once when they fit no more, and once when they fit again", async () => {
    answer = () => Promise.resolve(MISFIT);
    expect([await fits(), await fits()]).toEqual([false, false]);
    clock.advance(1_000);
    expect(await fits()).toBe(false);
    answer = () => Promise.resolve(null);
    clock.advance(1_000);
    expect([await fits(), await fits()]).toEqual([true, true]);
    expect(lines).toEqual([
      { ...MISFIT, message: "this worker has stopped claiming" },
      { message: "code, mappings and schema fit again; this worker continues" },
    ]);
  });
});
