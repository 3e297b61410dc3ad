/**
 * Every schedule of a small world, with the real engine in it. The conditions for each:
 * after the faults stop and one poll, record = cached copy = base = resource; no edit is lost
 * without a word; nothing is stuck; only legal moves; at most one queued event per direction and
 * one processing.
 *
 * `DEEP=1` walks through larger worlds, for minutes.
 */
import { describe, expect, it } from "vitest";
import { engine } from "./engine-under-test.ts";
import { explore } from "./explore.ts";
import type { Options } from "./world-state.ts";

const lossy = { fields: ["a"], webhooks: "may be lost", strict: true } as const;
const edits = { ...lossy, watch: "local edits" } as const;
const kept = { fields: ["a"], webhooks: "arrive", strict: true, watch: "remote edits" } as const;
const deletes = { ...edits, strict: false, sweep: true } as const;
const two = ["a", "b"] as const;

const bounds: readonly (readonly [string, Options])[] = [
  [
    "three remote edits and a late poll page within two seconds",
    { ...lossy, conflict: "field", budget: { remoteEdits: 3, ticks: 1, pollReads: 1 } },
  ],
  [
    "an event that fails permanently, among remote edits",
    { ...lossy, conflict: "field", budget: { remoteEdits: 2, bumps: 1, ticks: 1, errors: 1 } },
  ],
  [
    "inbound is switched off and on again, among remote edits",
    {
      ...lossy,
      conflict: "field",
      budget: { remoteEdits: 2, ticks: 1, pollReads: 1, switches: 1 },
    },
  ],
  [
    "... and among edits on both sides, where what our write covered is on record",
    {
      conflict: "field",
      fields: ["a"],
      webhooks: "arrive",
      watch: "remote edits",
      budget: { remoteEdits: 1, localEdits: 1, ticks: 1, switches: 1 },
    },
  ],
  [
    "field: edits on both sides, and a write whose outcome nobody learns",
    { ...edits, conflict: "field", budget: { remoteEdits: 1, localEdits: 1, unknown: 1 } },
  ],
  [
    "field: two local edits, and a dead worker's write that lands late",
    {
      ...edits,
      strict: false,
      conflict: "field",
      budget: { localEdits: 2, unknown: 1, orphans: 1 },
    },
  ],
  [
    "field: two fields, edited on both sides",
    {
      ...edits,
      strict: false,
      fields: two,
      conflict: "field",
      budget: { remoteEdits: 1, localEdits: 1, ticks: 1 },
    },
  ],
  [
    "record: edits on both sides, with reverts",
    {
      ...edits,
      strict: false,
      conflict: "record",
      localReverts: true,
      budget: { remoteEdits: 1, localEdits: 2 },
    },
  ],
  [
    "record: edits on both sides, and a refused or lost write",
    {
      ...edits,
      strict: false,
      conflict: "record",
      budget: { remoteEdits: 1, localEdits: 1, unknown: 1, errors: 1 },
    },
  ],
  [
    "record: two fields, edited on both sides",
    {
      ...edits,
      strict: false,
      fields: two,
      conflict: "record",
      budget: { remoteEdits: 1, localEdits: 1, ticks: 1 },
    },
  ],
  [
    "a remote edit under our own write, its webhook kept",
    { ...kept, conflict: "field", budget: { remoteEdits: 1, localEdits: 1, ticks: 1 } },
  ],
  [
    "a remote edit under two writes of ours, its webhook late by both",
    { ...kept, strict: false, conflict: "field", budget: { remoteEdits: 1, localEdits: 2 } },
  ],
  [
    "deletions on both sides among edits; a missing resource answers 404",
    {
      ...deletes,
      conflict: "field",
      missing: "404",
      budget: { remoteEdits: 1, localEdits: 1, remoteDeletes: 1, localDeletes: 1 },
    },
  ],
  [
    "deletions on both sides, and a write whose outcome nobody learns; 410",
    {
      ...deletes,
      conflict: "field",
      missing: "410",
      budget: { localEdits: 1, remoteDeletes: 1, localDeletes: 1, unknown: 1 },
    },
  ],
  [
    "reads that show the version before",
    {
      ...lossy,
      conflict: "field",
      budget: { remoteEdits: 2, ticks: 1, lags: 1 },
    },
  ],
  [
    "a read that shows the version before, of the same second, and a write of ours",
    {
      ...kept,
      conflict: "field",
      budget: { remoteEdits: 2, localEdits: 1, lags: 1 },
    },
  ],
  [
    "sets, elements added and removed on both sides",
    {
      ...lossy,
      sets: true,
      conflict: "field",
      budget: { remoteEdits: 1, localEdits: 1, ticks: 1, unknown: 1 },
    },
  ],
  [
    "a resource that is deleted and re-created, with reads by id on their way",
    {
      ...deletes,
      conflict: "field",
      missing: "410",
      reads: true,
      budget: { remoteEdits: 1, remoteDeletes: 1, recreations: 1, ticks: 1 },
    },
  ],
];

const deepBounds: readonly (readonly [string, Options])[] = [
  [
    "three remote edits, a bump and a late poll page within three seconds",
    {
      ...lossy,
      conflict: "field",
      budget: { remoteEdits: 3, bumps: 1, ticks: 2, pollReads: 1 },
    },
  ],
  [
    "two local edits, and a dead worker's write that lands late",
    {
      ...edits,
      conflict: "field",
      budget: { localEdits: 2, ticks: 1, unknown: 1, orphans: 1 },
    },
  ],
  [
    "record, with reverts and an unknown outcome",
    {
      ...edits,
      conflict: "record",
      localReverts: true,
      budget: { remoteEdits: 1, localEdits: 2, ticks: 1, unknown: 1 },
    },
  ],
  [
    "record, with two unknown outcomes, an orphan and an error",
    {
      ...edits,
      conflict: "record",
      budget: { remoteEdits: 1, localEdits: 1, ticks: 1, unknown: 2, orphans: 1, errors: 1 },
    },
  ],
  [
    "two fields, with an unknown outcome and an orphan",
    {
      ...edits,
      fields: two,
      conflict: "field",
      budget: { remoteEdits: 1, localEdits: 1, ticks: 1, unknown: 1, orphans: 1 },
    },
  ],
  [
    "two fields of the policy record, with an unknown outcome",
    {
      ...edits,
      fields: two,
      conflict: "record",
      budget: { remoteEdits: 1, localEdits: 1, ticks: 1, unknown: 1 },
    },
  ],
  [
    "a remote edit under two writes of two fields",
    {
      ...kept,
      fields: two,
      conflict: "field",
      budget: { remoteEdits: 1, localEdits: 2, ticks: 1 },
    },
  ],
  [
    "deletions on both sides, with an unknown outcome and every webhook kept, without a sweep",
    {
      ...deletes,
      webhooks: "arrive",
      sweep: false,
      conflict: "field",
      missing: "404",
      budget: {
        remoteEdits: 1,
        localEdits: 1,
        ticks: 1,
        unknown: 1,
        remoteDeletes: 1,
        localDeletes: 1,
      },
    },
  ],
];

/** On an idle core each takes a second or two; the cores of a gate are rarely idle. */
const LONG = { timeout: 120_000 };

describe("every schedule of", () => {
  it.each(bounds)("%s", LONG, (_bounds, options) => {
    const { violation, trail, complete, ends } = explore(engine, options);
    expect({ violation, trail, complete }).toEqual({ violation: null, trail: [], complete: true });
    expect(ends).toBeGreaterThan(0);
  });

  it.runIf(process.env.DEEP === "1").each(deepBounds)(
    "%s (deep)",
    { timeout: 3_600_000 },
    (_bounds, options) => {
      const { violation, trail } = explore(engine, options, 1_500_000);
      expect({ violation, trail }).toEqual({ violation: null, trail: [] });
    },
  );
});
