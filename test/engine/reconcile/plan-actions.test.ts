/** The plan of a reconcile for one pairing, before anything is done. */
import { describe, expect, it } from "vitest";
import { planRecordSide } from "../../../src/engine/lifecycle/planned.ts";
import {
  planAbsent,
  planOrphan,
  planOutlived,
  planSeen,
  planSurplus,
  planUnpaired,
  planVanished,
} from "../../../src/engine/reconcile/plan-actions.ts";
import {
  aContext,
  aLane,
  aMapping,
  anArrival,
  anAttempt,
  anEventId,
  anObservation,
  anUnseenLane,
  at,
  issueType,
  withEvent,
} from "../builders.ts";

const context = aContext();
const paused = aContext({
  switchedOff: { inbound: "connection_paused", outbound: "connection_paused" },
});
const edit = { direction: "outbound" } as const;
const removal = { ...edit, action: "delete" } as const;
const ended = { event: anEventId(9), at: at(50) } as const;
const listed = (title: string, seconds = 60) => anArrival({ title }, seconds, { source: "poll" });
const present = (title: string) => ({ kind: "present", content: { title, body: "text" } }) as const;
const pair = {
  resourceType: "issue",
  externalId: "42",
  recordType: "tasks",
  recordId: "7",
  conflicts: [],
};
const changed = (side: "record" | "resource", from: string, to: string) => [
  { side, field: "title", from, to },
];

describe("a listed resource", () => {
  it("with news updates its record, and what the record has besides is sent", () => {
    const record = { kind: "present", content: { title: "A", body: "mine" } } as const;
    expect(planSeen(aLane(), listed("B"), record, context)).toEqual({
      isAdmitted: true,
      isNews: true,
      actions: [
        { ...pair, kind: "update_record", changes: changed("record", "A", "B") },
        {
          ...pair,
          kind: "patch_resource",
          changes: [{ side: "resource", field: "body", from: "text", to: "mine" }],
        },
      ],
    });
  });

  it("is patched if the record overrules its change, and names the overruled values", () => {
    const lane = aLane({ recordChangedAt: { title: at(70) } });
    expect(planSeen(lane, listed("Theirs"), present("Mine"), context).actions).toMatchObject([
      {
        kind: "patch_resource",
        changes: changed("resource", "Theirs", "Mine"),
        conflicts: [{ field: "title", winner: "record", kept: "Mine", lost: "Theirs" }],
      },
    ]);
  });

  it("without news leaves the record's own edit to be sent", () => {
    expect(planSeen(aLane(), listed("A", 10), present("Mine"), context)).toEqual({
      isAdmitted: false,
      isNews: false,
      actions: [{ ...pair, kind: "patch_resource", changes: changed("resource", "A", "Mine") }],
    });
  });

  it("that is new makes a record, and whose record is gone makes none", () => {
    const unseen = anUnseenLane();
    expect(planSeen(unseen, listed("B"), { kind: "none" }, context).actions).toMatchObject([
      { kind: "create_record", externalId: "42", recordId: null },
    ]);
    expect(planSeen(aLane(), listed("B"), { kind: "gone" }, context)).toEqual({
      isAdmitted: true,
      isNews: true,
      actions: [],
    });
  });

  it("that comes back after its deletion proved wrong restores its record, though nothing changed", () => {
    const lane = aLane({ returned: anEventId(9) });
    expect(planSeen(lane, listed("A", 11), present("A"), context).actions).toEqual([]);
    expect(planSeen(lane, listed("B"), present("B"), context).actions).toMatchObject([
      { kind: "restore_record", recordId: "7" },
    ]);
  });
});

describe("a comment that came in while its issue had ended", () => {
  const orphan = aLane({ recordId: null, base: null });

  it("makes its record, also where an edit of that had failed", () => {
    for (const lane of [orphan, withEvent(orphan, 5, { ...edit, state: "errored" }).lane]) {
      expect(planOrphan(lane, listed("B"), context)).toMatchObject([
        {
          kind: "create_record",
          externalId: "42",
          recordId: null,
          changes: expect.arrayContaining([
            { side: "record", field: "title", from: null, to: "B" },
          ]) as unknown,
        },
      ]);
    }
  });

  it.each([
    ["it has its record already", aLane(), context],
    ["it has no resource", { ...orphan, externalId: null }, context],
    [
      "it was deleted itself",
      { ...orphan, tombstone: { ...ended, record: "present", resource: "deleted" } },
      context,
    ],
    ["an event sees it anyway", withEvent(withEvent(orphan, 5).lane, 6, edit).lane, context],
    ["its connection is paused", orphan, paused],
  ] as const)("is left alone where %s", (_why, lane, given) => {
    expect(planOrphan(lane, listed("B"), given)).toEqual([]);
  });
});

describe("a record that differs from base", () => {
  it("is sent", () => {
    expect(planRecordSide(aLane(), present("Mine"), context)).toEqual([
      { ...pair, kind: "patch_resource", changes: changed("resource", "A", "Mine") },
    ]);
    expect(planRecordSide(aLane(), present("A"), context)).toEqual([]);
  });

  it.each([
    [
      "its lane has ended",
      aLane({ tombstone: { ...ended, record: "deleted", resource: "present" } }),
      context,
    ],
    ["it has no resource", aLane({ externalId: null }), context],
    ["it was never in step", aLane({ base: null }), context],
    ["its connection is paused", aLane(), paused],
    ["an edit failed", withEvent(aLane(), 5, { ...edit, state: "errored" }).lane, context],
    ["an edit is held", withEvent(aLane(), 5, { ...edit, state: "disabled" }).lane, context],
  ] as const)("is not sent where %s", (_why, lane, given) => {
    expect(planRecordSide(lane, present("Mine"), given)).toEqual([]);
  });
});

describe("a record without a counterpart", () => {
  const key = aLane();

  it("gets one, which is then set to what a new one cannot be", () => {
    const content = { title: "Mine", state: "closed" };
    const once = { settableOnCreate: false, createdAs: "open" } as const;
    const state = { kind: "value", writable: true, ...once } as const;
    const createdOpen = aMapping({
      resource: { ...issueType, fields: { ...issueType.fields, state } },
    });
    const given = aContext({ mapping: createdOpen });
    const [created, later, ...others] = planUnpaired("7", content, key, given);
    expect(created).toMatchObject({
      kind: "create_resource",
      externalId: null,
      recordId: "7",
      changes: [{ side: "resource", field: "title", from: null, to: "Mine" }],
    });
    expect(later).toMatchObject({
      kind: "patch_resource",
      changes: [{ side: "resource", field: "state", from: "open", to: "closed" }],
    });
    expect(others).toEqual([]);
    expect(planUnpaired("7", { ...content, state: "open" }, key, given)).toHaveLength(1);
    expect(planUnpaired("7", content, key, context)[1]?.changes[0]?.from).toBeNull();
  });

  it("waits where its connection is paused", () => {
    expect(planUnpaired("7", { title: "Mine" }, key, paused)).toEqual([]);
  });
});

describe("a resource that is gone for certain", () => {
  it("takes its record along as the mapping says, and names what was unsent", () => {
    const archiving = aContext({ mapping: aMapping({ softDelete: "deleted_at" }) });
    expect(planAbsent(aLane(), present("Mine"), archiving)).toEqual([
      {
        ...pair,
        kind: "archive_record",
        changes: [],
        conflicts: [
          { field: "title", winner: "record", kept: "Mine", lost: null, why: "resource_deleted" },
        ],
      },
    ]);
    expect(planAbsent(aLane(), present("A"), context)).toMatchObject([{ kind: "detach_record" }]);
    expect(planAbsent(aLane(), { kind: "gone" }, context)).toEqual([]);
  });
});

describe("a resource that outlived its deleted record", () => {
  const deleted = aLane({ tombstone: { ...ended, record: "deleted", resource: "present" } });

  it("is removed, also while an edit or a deletion that came in is still there", () => {
    const heard = withEvent(deleted, 5, { action: "delete", state: "errored" }).lane;
    for (const lane of [deleted, heard, withEvent(deleted, 5, edit).lane]) {
      expect(planOutlived(lane, listed("A"), context)).toEqual([
        { ...pair, kind: "remove_resource", changes: [] },
      ]);
    }
  });

  it.each([
    ["its record lives", aLane()],
    [
      "it was deleted itself",
      aLane({ tombstone: { ...ended, record: "present", resource: "deleted" } }),
    ],
    [
      "it was closed, and somebody reopened it",
      { ...deleted, lastSent: anAttempt({ kind: "close" }) },
    ],
    ["it was deleted, and is back", { ...deleted, lastSent: anAttempt({ kind: "delete" }) }],
    ["its removal waits", withEvent(deleted, 5, removal).lane],
    ["its removal failed", withEvent(deleted, 5, { ...removal, state: "errored" }).lane],
  ] as const)("is left alone where %s", (_why, lane) => {
    expect(planOutlived(lane, listed("A"), context)).toEqual([]);
  });

  it("is left alone where it is closed, may not be touched now, or ever", () => {
    const closed = anArrival({ title: "A", state: "closed" }, 60);
    expect(planOutlived(deleted, closed, context)).toEqual([]);
    expect(planOutlived(deleted, listed("A"), paused)).toEqual([]);
    const detaching = aContext({ mapping: aMapping({ onRecordDeleted: "detach" }) });
    expect(planOutlived(deleted, listed("A"), detaching)).toEqual([]);
  });
});

describe("a resource whose record vanished", () => {
  it("is closed, which says what that sets; or deleted, where the integration can", () => {
    const lane = aLane({ base: { title: "A", state: "open" } });
    expect(planVanished(lane, context)).toEqual([
      {
        ...pair,
        kind: "remove_resource",
        changes: [{ side: "resource", field: "state", from: "open", to: "closed" }],
      },
    ]);
    const deleting = aMapping({
      resource: { ...issueType, removal: ["delete"] },
      onRecordDeleted: "delete",
    });
    expect(planVanished(aLane({ base: null }), aContext({ mapping: deleting }))).toEqual([
      { ...pair, kind: "remove_resource", changes: [] },
    ]);
  });

  it("is left to a later look where nothing may leave, and alone where there is none to remove", () => {
    expect(planVanished(aLane(), paused)).toBeNull();
    expect(planVanished(aLane({ externalId: null }), context)).toEqual([]);
    const detaching = aContext({ mapping: aMapping({ onRecordDeleted: "detach" }) });
    expect(planVanished(aLane(), detaching)).toEqual([]);
  });
});

it("a second resource of ours is closed under its own id", () => {
  const arrival = {
    ...listed("A"),
    observation: anObservation({ title: "A" }, 60, { externalId: "43" }),
  };
  expect(planSurplus(aLane(), arrival)).toEqual({
    ...pair,
    kind: "close_surplus",
    externalId: "43",
    changes: [],
  });
});
