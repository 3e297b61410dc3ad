import { describe, expect, it } from "vitest";
import { reconnectDelay } from "../../src/dashboard/data/backoff.ts";
import { contrast, excerpt } from "../../src/dashboard/elements/contrast.ts";
import { type PageView, placeHash, readPlace } from "../../src/dashboard/data/place.ts";
import {
  accountStanding,
  backfillLine,
  clockTime,
  connectionStanding,
  count,
  dayName,
  duration,
  recordName,
  refusedWebhooks,
  resourceName,
  subject,
  valueText,
} from "../../src/dashboard/data/wording.ts";
import { aBackfill, anEvent } from "./events.ts";

describe("names", () => {
  it("calls a record and a resource what people call them", () => {
    expect(recordName(anEvent())).toBe("tasks 42");
    expect(recordName(anEvent({ record_id: null }))).toBe("new in tasks");
    expect(resourceName(anEvent())).toBe("issue #7");
    expect(resourceName(anEvent({ integration_external_id: null }))).toBe("new issue");
    const comment = anEvent({ resource_type: "issue_comment", integration_external_id: "3001" });
    expect(resourceName(comment)).toBe("comment 3001");
  });

  it("says what an event is about", () => {
    expect(subject(anEvent({ content: { title: "Fix it", body: "Now" } }))).toBe("Fix it");
    expect(subject(anEvent({ content: { body: " First\nsecond" } }))).toBe("First");
    expect(subject(anEvent())).toBe("");
  });

  it("writes values for people", () => {
    expect([null, "", "text", 3, false].map(valueText)).toEqual([
      "nothing",
      "empty",
      "text",
      "3",
      "false",
    ]);
    expect(valueText(["bug", "ui"])).toBe("bug, ui");
    expect(valueText([])).toBe("none");
    expect(valueText({ login: "mona" })).toBe("@mona");
  });

  it("counts in words", () => {
    expect([count(1, "task"), count(2, "task"), count(2, "entry", "entries")]).toEqual([
      "1 task",
      "2 tasks",
      "2 entries",
    ]);
  });
});

describe("times", () => {
  const now = new Date("2026-03-02T12:00:00Z");

  it("are read in the reader's zone", () => {
    expect(clockTime("2026-03-02T23:03:07.123456Z", "UTC")).toBe("23:03:07");
    expect(clockTime("2026-03-02T23:03:07.123456Z", "Europe/Berlin")).toBe("00:03:07");
  });

  it("name near days, and write out others", () => {
    expect(dayName("2026-03-02T00:00:00Z", now, "UTC")).toBe("Today");
    expect(dayName("2026-03-01T23:59:59Z", now, "UTC")).toBe("Yesterday");
    expect(dayName("2026-02-27T10:00:00Z", now, "UTC")).toMatch(/^Friday.* 27 February 2026$/);
  });

  it("last as long as a person would say", () => {
    const from = "2026-03-02T09:00:00.000000Z";
    expect(duration(from, "2026-03-02T09:00:00.640000Z")).toBe("640 ms");
    expect(duration(from, "2026-03-02T09:00:01.200000Z")).toBe("1.2 s");
    expect(duration(from, "2026-03-02T09:03:00.000000Z")).toBe("3 min");
  });
});

describe("standings", () => {
  const account = {
    id: "1",
    name: "acme",
    integration: "github",
    state: "active",
    reason: null,
    paused_until: null,
  } as const;
  const connection = {
    id: "1",
    account: "1",
    integration: "github",
    container: "acme/site",
    container_id: "1296269",
    scope: "1",
    inbound: true,
    outbound: true,
    paused_reason: null,
    untracked_records: null,
    poll_attempted_at: null,
    poll_error: null,
    polled_at: null,
  };

  it("says until when an account pauses, and why", () => {
    const paused = {
      ...account,
      state: "paused",
      reason: "rate limit",
      paused_until: "2026-03-02T12:03:00.000000Z",
    } as const;
    expect(accountStanding(account).text).toBe("active");
    expect(accountStanding(paused, "UTC").text).toBe("paused until 12:03:00: rate limit");
    expect(accountStanding({ ...account, state: "needs_attention", reason: "401" })).toEqual({
      tone: "bad",
      text: "needs attention: 401",
    });
  });

  it("says how many webhooks were refused, and why", () => {
    const at = { integration: "github", last_at: "2026-03-02T12:03:00.000000Z" };
    expect(refusedWebhooks([])).toBe("");
    expect(
      refusedWebhooks([
        { ...at, code: "signature_mismatch", count: 11 },
        { ...at, code: "payload_too_large", count: 1 },
      ]),
    ).toBe("12 webhooks refused within a day: signature_mismatch (11), payload_too_large (1)");
  });

  it("says which ways a connection is open", () => {
    expect(connectionStanding(connection).text).toBe("both directions on");
    expect(connectionStanding({ ...connection, outbound: false }).text).toBe("only from github");
    expect(
      connectionStanding({
        ...connection,
        inbound: false,
        outbound: false,
        paused_reason: "by hand",
      }).text,
    ).toBe("paused: by hand");
  });

  it("says that its polls fail, and why: it is not well", () => {
    const failing = { ...connection, poll_error: "GitHub did not answer" };
    expect(connectionStanding(failing)).toEqual({
      tone: "bad",
      text: "both directions on; polls fail: GitHub did not answer",
    });
    expect(connectionStanding({ ...failing, inbound: false, outbound: false }).text).toBe("paused");
  });

  it("counts records that nothing looks at, with the command that pairs them", () => {
    expect(connectionStanding({ ...connection, untracked_records: 3 })).toEqual({
      tone: "waiting",
      text: "both directions on; 3 untracked records: tandem reconcile acme/site",
    });
    expect(connectionStanding({ ...connection, untracked_records: 0 }).tone).toBe("good");
  });
});

describe("changes of a text", () => {
  it("sets apart whole words", () => {
    expect(contrast("Fix the broken link now", "Fix the broken links now")).toEqual({
      head: "Fix the broken ",
      removed: "link",
      added: "links",
      tail: " now",
    });
  });

  it("puts back together what it took apart", () => {
    for (const [from, to] of [
      ["a a", "a a a"],
      ["", "x"],
      ["x", ""],
      ["same", "same"],
      ["one\n\ntwo", "one\ntwo"],
    ] as const) {
      const { head, removed, added, tail } = contrast(from, to);
      expect([head + removed + tail, head + added + tail]).toEqual([from, to]);
    }
  });

  it("shortens what did not change, without cutting a character", () => {
    expect(excerpt("short", "end")).toBe("short");
    expect(excerpt("abcdef", "start", 3)).toBe("abc…");
    expect(excerpt("abcdef", "end", 3)).toBe("…def");
    expect(excerpt("👩‍💻👩‍💻", "start", 1)).toBe("👩‍💻…");
  });
});

describe("the page's address", () => {
  it.each<PageView>([
    { at: "ledger" },
    { at: "audit" },
    { at: "event", id: "01960000-0000-7000-8000-000000000001" },
    { at: "explain", type: "tasks", id: "a/b c" },
  ])("leads back to $at", (place) => {
    expect(readPlace(placeHash(place))).toEqual(place);
  });

  it("is the ledger where it makes no sense", () => {
    expect(readPlace("#explain/tasks")).toEqual({ at: "ledger" });
    expect(readPlace("#event/%")).toEqual({ at: "event", id: "%" });
  });
});

describe("reconnecting", () => {
  it("waits longer each time, never longer than half a minute, and never at once", () => {
    const longest = [1, 2, 3, 10].map((attempt) => reconnectDelay(attempt, 1));
    expect(longest).toEqual([1_000, 2_000, 4_000, 30_000]);
    expect(reconnectDelay(1, 0)).toBe(500);
  });
});

describe("a backfill", () => {
  it("says what it is at, how far it is, and what it waits for", () => {
    expect(backfillLine(aBackfill({ listed: 40, expected: 120 }))).toBe(
      "listing resources: 40 of about 120 listed",
    );
    const ambiguous = { count: 2, first: [] };
    expect(backfillLine(aBackfill({ step: "pair", listed: 3, paired: 2, ambiguous }))).toBe(
      "pairing: 3 listed, 2 paired, 2 ambiguous keys",
    );
    expect(backfillLine(aBackfill({ waits_for: "the rate budget" }))).toBe(
      "the rate budget: 0 listed",
    );
  });
});
