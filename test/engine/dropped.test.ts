/** Sets that an author's create carried: the elements that the provider dropped, and those that people changed. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planMerge, type ObservedState } from "../../src/engine/merge/merge.ts";
import type { Lane } from "../../src/model/lane.ts";
import { aContext, aMapping, anEventId, anUnseenLane, at } from "./builders.ts";

const mona = { id: "100", login: "mona" };
const LABELS = ["x", "y", "z"];
const context = aContext({ mapping: aMapping(), now: at(9) });

interface Story {
  readonly sent: readonly string[];
  /** The record's labels by now. */
  readonly mine: readonly string[];
  /** The labels of the first observation. */
  readonly seen: readonly string[];
  readonly from: ObservedState["from"];
}

/** A create of Mona's that left with labels, and the first look at what it made. */
function merged({ sent, mine, seen, from }: Story) {
  const values = { title: "T", body: "b", labels: sent };
  const attempt: Lane["attempt"] = {
    event: anEventId(1),
    kind: "create",
    values,
    base: {},
    clockAt: null,
    sentAt: at(1),
    epoch: 1,
    author: mona,
  };
  const writer = { ...mona, times: 1, said: [], made: ["42"] };
  const posted = { at: at(1), authors: [writer], byAuthor: mona.id };
  const lane = anUnseenLane({
    recordId: "7",
    externalId: "42",
    attempt,
    lastSent: attempt,
    intent: { token: "t", since: at(0), tokenless: false, posted },
  });
  const content = { ...values, labels: seen };
  const plan = planMerge(
    lane,
    { content, copy: content, at: at(2), from },
    { ...values, labels: mine },
    context,
  );
  const final = (plan.toRecord.labels ?? mine) as readonly string[];
  return { final, sends: plan.toResource.labels, conflicts: plan.conflicts };
}

const labels = fc.subarray(LABELS);
const story = fc.record({
  sent: labels,
  mine: labels,
  seen: labels,
  from: fc.constantFrom("answer", "reread", "payload"),
}) satisfies fc.Arbitrary<Story>;

/** Labels that Mona may not set are missing, all or some: the provider dropped at least one. */
const dropped = story.filter(({ sent, seen }) => sent.some((label) => !seen.includes(label)));

describe("a set that its author's create carried, and that is there in part only", () => {
  it("law: no label disappears without being final on a side or named in conflicts", () => {
    fc.assert(
      fc.property(dropped, (given) => {
        const { sent, mine, seen } = given;
        const { final, conflicts } = merged(given);
        const lost = conflicts.flatMap((conflict) => conflict.lost as readonly string[]);
        for (const label of mine) expect([...final, ...lost]).toContain(label);
        for (const label of seen) {
          const isOursAndTakenOff = sent.includes(label) && !mine.includes(label);
          if (!isOursAndTakenOff) expect([...final, ...lost]).toContain(label);
        }
      }),
    );
  });

  it("law: what the app took off meanwhile stays off", () => {
    fc.assert(
      fc.property(dropped, (given) => {
        const off = given.sent.filter((label) => !given.mine.includes(label));
        for (const label of off) expect(merged(given).final).not.toContain(label);
      }),
    );
  });

  it("law: what is dropped follows, and nothing is named where nobody can have taken it off", () => {
    fc.assert(
      fc.property(dropped, (given) => {
        const { final, sends, conflicts } = merged(given);
        const wanted = given.mine.every((label) => given.seen.includes(label));
        if (!wanted) expect(sends).toEqual(final);
        const some = given.sent.some((label) => given.seen.includes(label));
        if (given.from === "answer" || !some) expect(conflicts).toEqual([]);
      }),
    );
  });

  it("names what somebody took off since, for others of them were set", () => {
    const given = { sent: ["x", "y"], mine: ["x", "y"], seen: ["y"] };
    const { final, sends, conflicts } = merged({ ...given, from: "reread" });
    expect({ final, sends }).toEqual({ final: ["x", "y"], sends: ["x", "y"] });
    expect(conflicts).toMatchObject([{ field: "labels", winner: "record", lost: ["y"] }]);
  });
});
