/** Random schedules of larger worlds, for what the exhaustive search cannot reach. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/testing/random.ts";
import { engine } from "./engine-under-test.ts";
import { walk } from "./explore.ts";
import type { Options } from "./world-state.ts";

const busy = {
  remoteEdits: 5,
  bumps: 2,
  localEdits: 5,
  ticks: 4,
  pollReads: 2,
  unknown: 3,
  orphans: 1,
  errors: 2,
};
const fields = ["a", "b", "c"];

const worlds: readonly (readonly [string, Options])[] = [
  ["field", { conflict: "field", fields, webhooks: "may be lost", strict: true, budget: busy }],
  ["record", { conflict: "record", fields, webhooks: "may be lost", strict: true, budget: busy }],
  [
    "resource-wins",
    { conflict: "resource-wins", fields, webhooks: "may be lost", strict: true, budget: busy },
  ],
  [
    "record-wins",
    { conflict: "record-wins", fields, webhooks: "may be lost", strict: true, budget: busy },
  ],
  [
    "field, watching local edits",
    {
      conflict: "field",
      fields: ["a", "b"],
      webhooks: "may be lost",
      watch: "local edits",
      budget: { ...busy, errors: 0, orphans: 0 },
    },
  ],
  [
    "field, watching remote edits whose webhooks all arrive",
    {
      conflict: "field",
      fields: ["a", "b"],
      webhooks: "arrive",
      watch: "remote edits",
      budget: { remoteEdits: 3, bumps: 1, localEdits: 3, ticks: 3 },
    },
  ],
  [
    "field, with deletions and a sweep",
    {
      conflict: "field",
      fields: ["a", "b"],
      webhooks: "may be lost",
      sweep: true,
      missing: "404",
      budget: { ...busy, errors: 0, remoteDeletes: 1, localDeletes: 1 },
    },
  ],
  [
    "record, with deletions, 410 and a sweep",
    {
      conflict: "record",
      fields: ["a", "b"],
      webhooks: "may be lost",
      sweep: true,
      missing: "410",
      budget: { ...busy, errors: 0, remoteDeletes: 1, localDeletes: 1 },
    },
  ],
];

describe("a random schedule ends well under", () => {
  it.each(worlds)("%s", { timeout: 120_000 }, (_policy, options) => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const { violation, trail } = walk(engine, options, seededRandom(seed));
        expect({ violation, trail }).toEqual({ violation: null, trail: [] });
      }),
      { numRuns: process.env.DEEP === "1" ? 20_000 : 40 },
    );
  });
});
