import { describe, expect, it } from "vitest";
import { compareSides } from "../../src/dashboard/data/agreement.ts";
import { standingOf } from "../../src/dashboard/data/standing.ts";
import type { DemoIssue, DemoPair, SampleTask } from "../../src/demo/api-types.ts";
import { aBackfill, aStatus } from "./events.ts";

const pair: DemoPair = { task: "1", issue: 7, ended: false };

function aTask(given: Partial<SampleTask> = {}): SampleTask {
  return {
    id: "1",
    title: "Fix the door",
    markdown: "It squeaks.",
    status: "todo",
    owner: null,
    modified_at: "2026-03-02T09:00:00Z",
    comments: [],
    ...given,
  };
}

function anIssue(given: Partial<DemoIssue> = {}): DemoIssue {
  return {
    number: 7,
    title: "Fix the door",
    body: "It squeaks.",
    state: "open",
    author: "mona",
    updated_at: null,
    url: "https://github.com/acme/site/issues/7",
    comments: [],
    ...given,
  };
}

function whatDiffers(task: Partial<SampleTask>, issue: Partial<DemoIssue>): string | undefined {
  return compareSides([aTask(task)], [anIssue(issue)], [pair]).differences[0]?.what;
}

const comment = (markdown: string) => ({ id: "1", markdown, author: null, created_at: "" });
const issueComment = (body: string) => ({ id: "9", body, author: "mona" });

describe("comparing both sides", () => {
  it("agrees where they say the same, however they write it", () => {
    const issue = { title: "Fix the door ", body: "It squeaks.\r\n" };
    expect(whatDiffers({}, issue)).toBeUndefined();
  });

  it.each(["backlog", "todo", "doing", "review"] as const)("takes %s for open", (status) => {
    expect(whatDiffers({ status }, { state: "open" })).toBeUndefined();
    expect(whatDiffers({ status }, { state: "closed" })).toBe("status");
  });

  it("takes done for closed", () => {
    expect(whatDiffers({ status: "done" }, { state: "closed" })).toBeUndefined();
    expect(whatDiffers({ status: "done" }, { state: "open" })).toBe("status");
  });

  it("names every field that differs", () => {
    expect(whatDiffers({ title: "A", markdown: "B" }, {})).toBe("title, text");
  });

  it("compares comments by what they say, whatever their order", () => {
    const both = [comment("one"), comment("two")];
    expect(
      whatDiffers({ comments: both }, { comments: [issueComment("two"), issueComment("one")] }),
    ).toBeUndefined();
    expect(whatDiffers({ comments: both }, { comments: [issueComment("one")] })).toBe("comments");
    expect(
      whatDiffers(
        { comments: [comment("one"), comment("one")] },
        { comments: [issueComment("one"), issueComment("two")] },
      ),
    ).toBe("comments");
  });

  it("counts what has no counterpart", () => {
    expect(compareSides([aTask()], [anIssue()], [])).toEqual({
      compared: 2,
      differences: [
        { task: "1", issue: null, what: "no issue yet" },
        { task: null, issue: 7, what: "no task yet" },
      ],
    });
  });

  it("misses a side that is gone, unless the other is closed or gone too", () => {
    expect(compareSides([aTask()], [], [pair]).differences[0]?.what).toBe("the issue is gone");
    expect(compareSides([], [anIssue()], [pair]).differences[0]?.what).toBe("the task is gone");
    expect(compareSides([], [anIssue({ state: "closed" })], [pair]).differences).toEqual([]);
    expect(compareSides([], [], [pair])).toEqual({ compared: 0, differences: [] });
  });

  it("leaves alone what was deleted on one side", () => {
    const ended = { ...pair, ended: true };
    expect(compareSides([], [anIssue()], [ended])).toEqual({ compared: 0, differences: [] });
  });
});

describe("the sentence at the top", () => {
  const difference = { task: "1", issue: 7, what: "title" };

  it("says that both sides agree, and that more is on its way", () => {
    const live = { queued: 1, processing: 1, errored: 0, disabled: 0 };
    expect(standingOf(aStatus({ live }), { compared: 3, differences: [] })).toEqual({
      tone: "good",
      headline: "Both sides agree",
      detail: "3 pairs compared, 2 changes pending",
    });
  });

  it("says what differs", () => {
    expect(standingOf(aStatus(), { compared: 3, differences: [difference] })).toEqual({
      tone: "waiting",
      headline: "1 of 3 differ",
      detail: "task 1: title",
    });
  });

  it("says that something is wrong where nothing but errors is left", () => {
    const live = { queued: 0, processing: 0, errored: 1, disabled: 0 };
    const standing = standingOf(aStatus({ live }), { compared: 3, differences: [difference] });
    expect(standing.tone).toBe("bad");
  });

  it("knows only Tandem's own counts where there is nothing to compare", () => {
    const live = { queued: 0, processing: 0, errored: 0, disabled: 0 };
    expect(standingOf(null, null).headline).toBe("Connecting");
    expect(standingOf(aStatus(), null).headline).toBe("Nothing waits");
    expect(standingOf(aStatus({ undrained: 1 }), null).headline).toBe("1 change pending");
    expect(standingOf(aStatus({ live: { ...live, errored: 2 } }), null)).toMatchObject({
      tone: "bad",
      headline: "2 events failed",
    });
  });

  it("does not say that nothing waits while something waits for a person, or is ingested", () => {
    const disabled_pairings = { count: 2, first: [] };
    expect(standingOf(aStatus({ disabled_pairings }), null)).toEqual({
      tone: "bad",
      headline: "A person must decide",
      detail: "2 pairings switched off",
    });
    expect(standingOf(aStatus({ foreign_instance: "it is a copy" }), null)).toMatchObject({
      tone: "bad",
      headline: "No event is processed",
    });
    expect(standingOf(aStatus({ backfills: [aBackfill()] }), null)).toMatchObject({
      tone: "waiting",
      headline: "A backfill is running",
    });
  });
});
