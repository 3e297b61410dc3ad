/** A resource that was taken for deleted and is alive: what proves it, and what follows. */
import { describe, expect, it } from "vitest";
import { admit } from "../../../src/engine/admission/admit.ts";
import {
  admitReturn,
  isUnsent,
  mayBeBack,
  planReturn,
} from "../../../src/engine/lifecycle/resource-return.ts";
import { isArchivedByUs, mayReturn, resourceGone } from "../../../src/engine/lane/tombstone.ts";
import { connectionId } from "../../../src/model/ids.ts";
import type { Lane } from "../../../src/model/lane.ts";
import { resourceDeleted } from "../../../src/model/tombstone.ts";
import { aContext, aLane, anArrival, anEventId, at, bornOf, withEvent } from "../builders.ts";

const context = aContext();
const tombstone = resourceDeleted(anEventId(9), at(50));
const dead = aLane({ tombstone });
const read = (title: string, seconds: number, began = 51) =>
  anArrival({ title }, seconds, { source: "reread", verifiedAt: at(began) });
const record = { kind: "present", content: { title: "A", body: "text" } } as const;

describe("whether the resource of an ended lane may be alive", () => {
  it("is worth a read where the lane ended for the resource's sake alone", () => {
    expect(mayBeBack(dead, context)).toBe(true);
  });

  const not: readonly (readonly [string, Lane])[] = [
    ["if nothing has ended", aLane()],
    [
      "if the record was deleted",
      aLane({ tombstone: { ...tombstone, record: "deleted", resource: "present" } }),
    ],
    [
      "if the record was deleted first, and its resource's deletion was observed later",
      aLane({ tombstone: resourceGone({ ...tombstone, record: "deleted", resource: "present" }) }),
    ],
    [
      "if the record was moved away",
      aLane({ tombstone: { ...tombstone, record: "to_connection" } }),
    ],
    [
      "if it was left behind at a former address",
      aLane({
        tombstone: {
          ...tombstone,
          resource: { movedOn: { connection: connectionId("2"), externalId: "3" } },
        },
      }),
    ],
    [
      "if its record had not followed a move before the deletion",
      aLane({ tombstone, moved: { connection: connectionId("2"), externalId: "3" } }),
    ],
    [
      "while the deletion is to be carried out",
      withEvent(dead, 9, { action: "delete", direction: "inbound" }).lane,
    ],
    [
      "while the pairing is switched off",
      aLane({ tombstone, disabled: { cause: "unmapped", why: "not mapped any more" } }),
    ],
  ];
  for (const [where, lane] of not) {
    it(`is not ${where}`, () => {
      expect(mayBeBack(lane, context)).toBe(false);
    });
  }

  it("keeps a tombstone of the resource's own as it is, told of twice", () => {
    expect(resourceGone(tombstone)).toBe(tombstone);
    expect(mayReturn(aLane({ tombstone: resourceGone(tombstone) }))).toBe(true);
  });
});

describe("a read of it", () => {
  it("lifts the tombstone, and notes which deletion was wrong", () => {
    const { lane } = admit(dead, read("B", 60), context);
    expect(lane).toMatchObject({ tombstone: null, returned: tombstone.event, recordId: "7" });
  });

  it("proves nothing where it shows less than is known: reads lag", () => {
    const known = aLane({ tombstone, clock: { at: at(40), event: anEventId(3) } });
    expect(bornOf(admit(known, read("B", 39), context))).toMatchObject({ state: "ignored" });
    expect(bornOf(admit(known, read("B", 40), context))).toMatchObject({ state: "queued" });
  });

  it("that proves nothing makes no event of a return", () => {
    const admission = admitReturn(dead, read("B", 60, 49), record, context);
    expect(admission).toMatchObject({ event: null, ended: [] });
    expect(admission.lane).toBe(dead);
  });

  it("lets go of a record that is gone, and of nothing else", () => {
    const archived = { ...dead, archivedAs: "2026-03-01" };
    const kept = admitReturn(archived, read("B", 60), record, context).lane;
    expect(kept).toMatchObject({ recordId: "7", base: archived.base, archivedAs: "2026-03-01" });
    const anew = admitReturn(archived, read("B", 60), { kind: "gone" }, context).lane;
    expect(anew).toMatchObject({ recordId: null, base: null, archivedAs: null });
  });

  it("is planned as it is carried out", () => {
    expect(planReturn(dead, read("A", 60), record, context)).toMatchObject([
      { kind: "restore_record", recordId: "7", changes: [] },
    ]);
    expect(planReturn(dead, read("B", 60), record, context)).toMatchObject([
      { kind: "restore_record", changes: [{ field: "title", from: "A", to: "B" }] },
    ]);
    expect(planReturn(dead, read("B", 60), { kind: "gone" }, context)).toMatchObject([
      { kind: "create_record", recordId: null },
    ]);
    expect(planReturn(dead, read("B", 60, 49), record, context)).toEqual([]);
  });
});

describe("a record that is archived", () => {
  const lane = { archivedAs: "2026-03-01 12:00:00.5+00" };
  const mapping = { softDelete: "deleted_at" };

  it("was archived by us where it says what we wrote, in whatever time zone", () => {
    for (const same of ["2026-03-01 12:00:00.5+00", "2026-03-01 17:45:00.5+05:45"]) {
      expect(isArchivedByUs(lane, { deleted_at: same }, mapping)).toBe(true);
    }
  });

  it("was archived by the app where it says anything else", () => {
    for (const other of ["2026-03-01 12:00:00.6+00", "2026-03-01 12:00:00.5", null, undefined]) {
      expect(isArchivedByUs(lane, { deleted_at: other }, mapping)).toBe(false);
    }
    expect(isArchivedByUs({ archivedAs: null }, { deleted_at: "x" }, mapping)).toBe(false);
    expect(isArchivedByUs(lane, { deleted_at: "x" }, { softDelete: null })).toBe(false);
  });
});

describe("the lane that a record got meanwhile", () => {
  it("is unsent until a create of it may have left", () => {
    const follower = aLane({ externalId: null, base: null, known: null, clock: null });
    expect(isUnsent(follower)).toBe(true);
    expect(isUnsent({ ...follower, externalId: "43" })).toBe(false);
    expect(isUnsent({ ...follower, intent: { token: "t", since: at(1), tokenless: false } })).toBe(
      false,
    );
    const busy = withEvent(follower, 3, { state: "processing" }).lane;
    expect(isUnsent(busy)).toBe(false);
  });
});
