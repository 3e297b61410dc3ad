/** The identity of a database: ours, or a copy that must not post. */
import { describe, expect, it } from "vitest";
import {
  type Instance,
  judgeInstance,
  missBeat,
  takeUpAgain,
} from "../../../src/engine/limits/instance.ts";
import { mayHaveLanded } from "../../../src/engine/lane/trust.ts";
import { addMillis, parseInstant } from "../../../src/model/instant.ts";
import { aLane, anEventId, withEvent } from "../builders.ts";

const NOW = parseInstant("2026-03-02T09:00:00Z");

const DAY = 24 * 3_600_000;

const kindOf = (stored: Instance | null, here: Instance, setBack: string | null = null) =>
  judgeInstance(stored === null ? null : { ...stored, adoptedAt: NOW, setBack }, here).kind;

describe("a database", () => {
  it("is ours where it is what it was, and anybody's who finds it first", () => {
    const stored = { name: "prod", place: "1/5" };
    expect(kindOf(null, stored)).toBe("new");
    expect(kindOf(stored, stored)).toBe("ours");
    expect(kindOf({ name: null, place: "1/5" }, { name: null, place: "1/5" })).toBe("ours");
  });

  it("that is another's says which instance it belongs to, and which this process is", () => {
    const stored = { name: "prod", place: "1/5", adoptedAt: NOW, setBack: null };
    expect(judgeInstance(stored, { name: null, place: "1/5" })).toEqual({
      kind: "foreign",
      why: "this database belongs to the instance prod, and this process has no instance id",
    });
    expect(judgeInstance(stored, { name: "staging", place: "1/5" })).toMatchObject({
      why: expect.stringContaining("this process has the instance id staging") as string,
    });
  });

  it("may be given a name, and is worked on under no other from then on", () => {
    expect(kindOf({ name: null, place: "1/5" }, { name: "prod", place: "1/5" })).toBe("new");
    expect(kindOf({ name: "prod", place: "1/5" }, { name: "staging", place: "1/5" })).toBe(
      "foreign",
    );
    expect(kindOf({ name: "prod", place: "1/5" }, { name: null, place: "1/5" })).toBe("foreign");
  });

  it("is a copy where it lives elsewhere, whatever its name", () => {
    expect(kindOf({ name: "prod", place: "1/5" }, { name: "prod", place: "1/6" })).toBe("foreign");
    expect(kindOf({ name: null, place: "1/5" }, { name: null, place: "2/5" })).toBe("foreign");
    const stored = { name: null, place: "1/5", adoptedAt: NOW, setBack: null };
    expect(judgeInstance(stored, { name: null, place: "2/5" })).toEqual({
      kind: "foreign",
      why: "this database is a copy: it was restored from a backup, or moved, since it was last worked on",
    });
  });

  it("is judged by its name alone where its server does not tell the place", () => {
    expect(kindOf({ name: "prod", place: "1/5" }, { name: "prod", place: null })).toBe("ours");
    expect(kindOf({ name: "prod", place: null }, { name: "prod", place: "1/5" })).toBe("new");
    expect(kindOf({ name: "prod", place: null }, { name: null, place: null })).toBe("foreign");
  });

  it("that was told to be set back is nobody's until somebody approves", () => {
    const stored = { name: "prod", place: "1/5" };
    expect(kindOf(stored, stored, "it was set back")).toBe("foreign");
    expect(kindOf({ name: null, place: null }, stored, "it was set back")).toBe("foreign");
  });

  it("that does not know a beat was set back, unless it was approved since", () => {
    const stored = { name: null, place: "1/5", adoptedAt: NOW, setBack: null };
    const missed = (millis: number, days = 0) =>
      missBeat({ host: "a", at: addMillis(NOW, millis) }, stored, addMillis(NOW, days * DAY));
    expect(missed(1)).toBe("set_back");
    expect([missed(-1), missed(0)]).toEqual(["nothing", "nothing"]);
    // By then the database may have forgotten it.
    expect([missed(1, 29), missed(1, 31)]).toEqual(["set_back", "nothing"]);
    const old = { host: "a", at: addMillis(NOW, 1) };
    expect(missBeat(old, stored, addMillis(old.at, 30 * DAY))).toBe("set_back");
  });
});

describe("a lane of a restored database", () => {
  it.each(["queued", "errored", "disabled"] as const)(
    "looks at its resource before it writes what is %s, whatever it has just sent itself",
    (state) => {
      const { lane } = withEvent(aLane(), 2, { direction: "outbound", state });
      expect(takeUpAgain(lane, NOW, null).lane.live).toMatchObject([
        { id: anEventId(2), state, reread: true },
      ]);
    },
  );
});

describe("a create of a restored database that may have left", () => {
  const HOUR = 3_600_000;
  const create = { values: { title: "Said" }, token: "unused" };
  const waitingSince = (millis: number, state: "queued" | "processing" = "queued") => {
    const { lane } = withEvent(aLane({ externalId: null }), 2, { direction: "outbound", state });
    const at = addMillis(NOW, -millis);
    return { ...lane, recordChangedAt: { title: at } };
  };

  it("is looked for by what it said where its record is young, as one whose answer was lost", () => {
    for (const state of ["queued", "processing"] as const) {
      const { lane } = takeUpAgain(waitingSince(HOUR, state), NOW, create);
      expect(lane.disabled).toBeNull();
      expect(lane.intent).toEqual({
        token: "unused",
        since: addMillis(NOW, -HOUR),
        tokenless: true,
      });
      // It is looked for from the time on since when its record is there, and by nothing but its words.
      expect(lane.attempt).toEqual({
        event: anEventId(2),
        kind: "create",
        values: create.values,
        base: {},
        clockAt: null,
        sentAt: addMillis(NOW, -HOUR),
        epoch: lane.epoch,
      });
      expect(mayHaveLanded(lane)).toBe(true);
    }
  });

  it("waits for a person where the record is older, or says nothing that can be looked for", () => {
    for (const lane of [
      takeUpAgain(waitingSince(HOUR + 1), NOW, create).lane,
      takeUpAgain(waitingSince(0), NOW, null).lane,
    ]) {
      expect(lane).toMatchObject({
        intent: null,
        attempt: null,
        disabled: {
          cause: "restored",
          why: expect.stringMatching(/was restored: .* enable it if there is none$/) as string,
        },
      });
    }
  });
});
