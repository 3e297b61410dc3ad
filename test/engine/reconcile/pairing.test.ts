/** The key by which a record and a resource are told to be the same thing. */
import { describe, expect, it } from "vitest";
import {
  AMBIGUOUS,
  bindPair,
  type KeyOfOne,
  recordPairingKey,
  refuseAmbiguous,
  resourcePairingKey,
} from "../../../src/engine/reconcile/pairing.ts";
import type { Lane } from "../../../src/model/lane.ts";
import type { Mapping, PairingKey } from "../../../src/model/mapping.ts";
import { recordDeleted } from "../../../src/model/tombstone.ts";
import { aLane, aMapping, anEventId, anUnseenLane, at, eventIn, withEvent } from "../builders.ts";

const byTitle: PairingKey = { kind: "fields", fields: ["title"] };

const keyed = (pairBy: PairingKey, changes: Partial<Mapping> = {}) =>
  aMapping({ pairBy, ...changes });

const ofResource = (title: string, mapping = keyed(byTitle), parentId: string | null = null) =>
  resourcePairingKey(mapping, "42", { title }, parentId);
const ofRecord = (title: string, mapping = keyed(byTitle), parentId: string | null = null) =>
  recordPairingKey(mapping, { id: "7", title }, { title }, parentId);

const key = (one: KeyOfOne | null) => one?.key;

describe("a pairing key", () => {
  it("is the same on both sides where both say the same, in canonical form", () => {
    expect(key(ofResource("Mend it"))).toBe(key(ofRecord("Mend it")));
    expect(key(ofResource("  Mend it "))).toBe(key(ofRecord("Mend it")));
    expect(key(ofResource("Mend it"))).not.toBe(key(ofRecord("Mend that")));
    expect(ofResource("Mend it")?.label).toBe('title "Mend it"');
  });

  it("is none where a part of it is empty, or where none is declared", () => {
    const byBoth = keyed({ kind: "fields", fields: ["title", "body"] });
    expect(ofResource("")).toBeNull();
    expect(ofRecord("")).toBeNull();
    expect(resourcePairingKey(byBoth, "42", { title: "Mend it", body: null }, null)).toBeNull();
    expect(resourcePairingKey(byBoth, "42", { title: "Mend it" }, null)).toBeNull();
    expect(ofResource("Mend it", aMapping())).toBeNull();
  });

  it("is not the same below different parents, and none below one that is not paired", () => {
    const child = keyed(byTitle, { parent: { column: "task_id", recordType: "tasks" } });
    expect(key(ofResource("Yes", child, "1"))).toBe(key(ofRecord("Yes", child, "1")));
    expect(key(ofResource("Yes", child, "1"))).not.toBe(key(ofRecord("Yes", child, "2")));
    expect(ofResource("Yes", child, null)).toBeNull();
    expect(ofRecord("Yes", child, null)).toBeNull();
  });

  it("may be the resource's id, kept in a column as text or as a number", () => {
    const byId = keyed({ kind: "external_id", column: "github_number" });
    const record = (github_number: string | number | null) =>
      recordPairingKey(byId, { id: "7", github_number }, {}, null);
    expect(key(resourcePairingKey(byId, "42", null, null))).toBe(key(record("42")));
    expect(key(record(42))).toBe(key(record("42")));
    expect(record(null)).toBeNull();
  });
});

describe("a resource whose key others have too", () => {
  const error = {
    code: AMBIGUOUS,
    message: "two issues have the title",
    hint: "Rename one.",
    retryable: false,
    httpStatus: null,
    requestId: null,
  };
  const unpaired = anUnseenLane({ externalId: "42" });
  const waiting = withEvent(withEvent(unpaired, 5).lane, 6, { direction: "outbound" }).lane;

  it("waits for a person, who is told why", () => {
    const refused = refuseAmbiguous(waiting, error, at(100));
    expect(eventIn(refused, anEventId(5))).toMatchObject({
      state: "errored",
      reason: "failed",
      error,
    });
    expect(eventIn(refused, anEventId(6)).state).toBe("queued");
  });

  it("is no concern where it has its record, or was deleted", () => {
    const paired = withEvent(aLane(), 5).lane;
    expect(refuseAmbiguous(paired, error, at(100))).toEqual({ lane: paired, ended: [] });
    const deleted = withEvent(unpaired, 5, { action: "delete" }).lane;
    expect(refuseAmbiguous(deleted, error, at(100))).toEqual({ lane: deleted, ended: [] });
  });

  it("goes on once it is the only one: its event is due, with its record", () => {
    const { lane } = refuseAmbiguous(waiting, error, at(100));
    const bound = bindPair(lane, null, "7", null, keyed(byTitle), at(200));
    expect(bound?.resource.lane.recordId).toBe("7");
    expect(bound && eventIn(bound.resource, anEventId(5))).toMatchObject({
      state: "queued",
      reason: "admitted",
      recordId: "7",
      runAt: at(200),
    });
  });

  it("is due at once where it had waited for the end of the pairing", () => {
    const later = withEvent(unpaired, 5, { reason: "awaiting_pairing", runAt: at(900) }).lane;
    const bound = bindPair(later, null, "7", null, keyed(byTitle), at(200));
    expect(bound?.resource.lane.live).toMatchObject([
      { state: "queued", reason: "admitted", runAt: at(200) },
    ]);
  });

  it("that failed for another reason stays as it is, and is paired with nothing", () => {
    const failed = withEvent(unpaired, 5, {
      state: "errored",
      error: { ...error, code: "hook_failed" },
    }).lane;
    expect(bindPair(failed, null, "7", null, keyed(byTitle), at(200))).toBeNull();
  });
});

describe("a record with a lane of its own", () => {
  const { lane } = withEvent(anUnseenLane({ externalId: "42" }), 5);
  const own = anUnseenLane({ recordId: "7" });
  const intent = { token: "t", since: at(1), tokenless: false };
  const bound = (one: Lane) => bindPair(lane, one, "7", null, keyed(byTitle), at(200));

  it("is paired if its lane only waits", () => {
    expect(bound(own)?.resource.lane.recordId).toBe("7");
  });

  it.each<[string, Lane]>([
    ["is being created", { ...own, intent }],
    ["is being processed", withEvent(own, 6, { direction: "outbound", state: "processing" }).lane],
    ["has a resource", { ...own, externalId: "43" }],
    ["has ended", { ...own, tombstone: recordDeleted(anEventId(6), at(50)) }],
  ])("is not paired if its lane %s", (_what, one) => {
    expect(bound(one)).toBeNull();
  });
});
