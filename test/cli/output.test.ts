/** Output for people: aligned columns, their own time, and a record's story in plain words. */
import { describe, expect, it } from "vitest";
import { reconcileLines } from "../../src/cli/commands/reconcile.ts";
import { columns, cut } from "../../src/cli/output/columns.ts";
import { localTime, withLocalTimes } from "../../src/cli/output/local-time.ts";
import { createLogger } from "../../src/cli/output/logger.ts";
import { paintFor } from "../../src/cli/output/paint.ts";
import { storyOf } from "../../src/cli/output/story.ts";
import type { Io } from "../../src/cli/output/io.ts";
import type { ApiEvent } from "../../src/server/protocol/api-types.ts";

const reader = { now: new Date("2026-03-02T23:30:00Z"), timeZone: "Europe/Berlin" };

function ioWith(isTTY: boolean, env: Record<string, string> = {}): Io {
  const output = { isTTY, write: () => undefined };
  return {
    stdout: output,
    stderr: output,
    env,
    cwd: "/",
    onInterrupt: () => () => undefined,
    openBrowser: () => undefined,
  };
}

const plain = paintFor(ioWith(false));

describe("columns", () => {
  it("are as wide as their widest cell, whatever its colour", () => {
    const paint = paintFor(ioWith(true));
    const lines = columns([
      ["tasks 42", "queued", "x"],
      ["a", paint.red("errored"), "y"],
    ]);
    expect(lines[0]).toBe("tasks 42  queued   x");
    expect(lines[1]).toBe(`a         ${paint.red("errored")}  y`);
  });

  it("keep long texts on one line", () => {
    expect(cut("two\nlines  here", 20)).toBe("two lines here");
    expect(cut("two lines here", 5)).toBe("two …");
  });
});

describe("a reconcile's answer", () => {
  it.each([
    [1, "1 resource seems to be missing but may only be too new for the list: run it again later."],
    [2, "2 resources seem to be missing but may only be too new for the list: run it again later."],
  ])("says how many resources a later run decides: %i", (unconfirmed, sentence) => {
    const done = { listed: 9, unconfirmed, applied: false, held: false, actions: [] };
    expect(reconcileLines(done, true)).toEqual([
      sentence,
      "9 resources listed, 0 differences. Nothing was changed.",
    ]);
  });
});

describe("colours", () => {
  it("are for terminals of people who did not say no", () => {
    expect(paintFor(ioWith(true)).red("x")).not.toBe("x");
    expect(paintFor(ioWith(false)).red("x")).toBe("x");
    expect(paintFor(ioWith(true, { NO_COLOR: "1" })).red("x")).toBe("x");
    expect(paintFor(ioWith(true, { NO_COLOR: "" })).red("x")).not.toBe("x");
    expect(paintFor(ioWith(true, { TERM: "dumb" })).red("x")).toBe("x");
  });
});

describe("times", () => {
  it("are the reader's, with the day only where it is another", () => {
    expect(localTime("2026-03-02T23:05:06.123456Z", reader)).toBe("00:05:06");
    expect(localTime("2026-03-02T22:05:06.123456Z", reader)).toBe("2026-03-02 23:05:06");
    expect(withLocalTimes("Agreed since 2026-03-02T23:05:06.123456Z.", reader)).toBe(
      "Agreed since 00:05:06.",
    );
  });
});

describe("the log", () => {
  const write = (isTTY: boolean): string => {
    let text = "";
    const output = { isTTY, write: (line: string) => (text += line) };
    const log = createLogger("info", output, plain, "UTC");
    log.debug({}, "unheard");
    log.warn({ container: "acme/site", tries: 2 }, "a poll failed");
    return text;
  };

  it("is JSON for programs", () => {
    expect(JSON.parse(write(false))).toEqual({
      level: "warn",
      time: expect.any(Number),
      container: "acme/site",
      tries: 2,
      msg: "a poll failed",
    });
  });

  it("is a line for people on a terminal", () => {
    expect(write(true)).toMatch(
      /^\d\d:\d\d:\d\d warn {2}a poll failed container=acme\/site tries=2\n$/,
    );
  });
});

describe("a story", () => {
  const older: ApiEvent = {
    id: "01a",
    direction: "outbound",
    action: "upsert",
    source: "change",
    connection_id: "1",
    resource_type: "issue",
    integration_external_id: "7",
    integration_updated_at: null,
    integration_record_id: "9",
    integration_record_type: "github_issues",
    record_id: "42",
    record_type: "tasks",
    state: "errored",
    reason: "failed",
    because: "Failed permanently; see the error.",
    canceled_by: null,
    duplicate_of: null,
    ignored_for_id: null,
    ignored_for_type: null,
    content: null,
    changes: [],
    conflicts: [],
    error: {
      code: "validation_failed",
      message: "GitHub refused the title.",
      hint: "Shorten it.",
      retryable: false,
      httpStatus: 422,
      requestId: "AB:1",
    },
    attempts: 1,
    worker: null,
    run_at: "2026-03-02T23:00:00Z",
    created_at: "2026-03-02T23:00:00Z",
    started_at: null,
    finished_at: null,
  };
  const newer: ApiEvent = {
    ...older,
    id: "01b",
    direction: "inbound",
    source: "webhook",
    state: "completed",
    reason: "updated_record",
    because: "The record took the resource's changes.",
    changes: [{ side: "record", field: "title", from: "Old", to: null }],
    conflicts: [{ field: "body", winner: "resource", kept: "B", lost: "A", why: "both_changed" }],
    error: null,
    created_at: "2026-03-02T23:10:00Z",
  };

  it("says where the pairing stands, then what happened, oldest first", () => {
    const lines = storyOf(
      {
        record_type: "tasks",
        record_id: "42",
        pairings: [
          {
            connection: "acme/site",
            integration_record_type: "github_issues",
            integration_external_id: "7",
            url: "https://github.com/acme/site/issues/7",
            in_sync: true,
            standing: "Both sides agree since 2026-03-02T23:10:00.000000Z.",
            base: null,
            events: [newer, older],
          },
        ],
        journal: [],
      },
      reader,
      plain,
    );
    expect(lines.join("\n")).toBe(`tasks 42

acme/site  github_issues 7
https://github.com/acme/site/issues/7
Both sides agree since 00:10:00.

00:00:00  The app wrote the record.
          errored: Failed permanently; see the error.
          error: GitHub refused the title. (validation_failed, HTTP 422, request AB:1)
          fix: Shorten it.

00:10:00  A webhook said that the resource changed.
          completed: The record took the resource's changes.
          the record's title: "Old" → nothing
          conflict over body: the resource's "B" was kept, the record's "A" was lost, because both sides had changed it`);
  });
});
