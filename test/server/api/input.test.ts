/** The API refuses malformed input before it asks the database. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refuseMalformed } from "../../../src/server/protocol/input.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenProjects } from "../../harness/projects.ts";
import type { SampleTandem } from "../../harness/sample-tandem.ts";

const NO_EVENT = "0196ffff-0000-7000-8000-000000000001";
const NO_SUCH_EVENT = `there is no event ${NO_EVENT}`;
const HUGE = "9".repeat(40);
const NUL = "a%00b";

interface Refusal {
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

describeOnOneDatabase("the API", (open) => {
  let app: SampleTandem;
  beforeAll(async () => {
    app = await givenProjects(await open());
  });
  afterAll(() => app.close());

  async function ask(line: string): Promise<{ status: number; body: Refusal }> {
    const [method = "GET", path = ""] = line.split(" ");
    const request = new Request(`http://localhost/api/${path}`, { method });
    const response = await app.tandem.fetch(request);
    return { status: response.status, body: (await response.json()) as Refusal };
  }

  it.each([
    ...["abc", "7", HUGE, "%27%3B--", NUL, `${NO_EVENT}x`].flatMap((id) => [
      `GET events/${id}`,
      `POST events/${id}/restart`,
      `POST events/${id}/cancel`,
    ]),
    ...["abc", HUGE, "-1", "1.5", "%20", NUL].flatMap((id) => [
      `POST connections/${id}/pause`,
      `POST connections/${id}/enable`,
      `POST connections/${id}/reconcile`,
      `POST connections/${id}/backfill`,
      `POST runs/${id}/approve`,
      `POST runs/${id}/reject`,
      `GET events?connection=${id}`,
    ]),
    ...[
      "limit=0",
      "limit=501",
      "limit=many",
      "limit=",
      "state=erored",
      "direction=up",
      "record=tasks",
    ],
    ...[
      "before=yesterday",
      `record=tasks:${NUL}`,
      "state=queued&state=errored",
      "stat=errored",
      "limit=5&x",
    ],
    `GET explain/tasks/${NUL}`,
    "GET explain/%E0%A4%A/1",
    `POST records/tasks/${NUL}/enable`,
    "GET status?verbose=1",
    "GET stream?since=1",
    "GET backfills?x=1",
    "POST sync?force=1",
    "POST instance/approve?x=1",
    "POST connections/1/reconcile?dry_run=yes",
    "POST connections/1/reconcile?dryrun=true",
  ])("refuses what is malformed or unknown with 400, a code and what to do: %s", async (line) => {
    const { status, body } = await ask(line.includes(" ") ? line : `GET events?${line}`);
    expect({ line, status, code: body.error?.code }).toEqual({
      line,
      status: 400,
      code: expect.stringMatching(/^(bad|unknown|repeated|invalid)_/) as string,
    });
    expect(body.error?.message).not.toBe("");
    expect(body.error?.hint).not.toBe("");
    // A client of the API cannot run a command.
    expect(body.error?.hint).not.toContain("tandem ");
  });

  it.each([
    [`GET events/${NO_EVENT}`, 404, "no_event", NO_SUCH_EVENT, "/api/events"],
    [`POST events/${NO_EVENT}/restart`, 404, "no_event", NO_SUCH_EVENT, "/api/events"],
    [`POST events/${NO_EVENT}/cancel`, 404, "no_event", NO_SUCH_EVENT, "/api/events"],
    ["POST connections/99/pause", 404, "no_connection", "no connection 99", "/api/status"],
    ["POST connections/99/enable", 404, "no_connection", "no connection 99", "/api/status"],
    ["POST connections/99/reconcile", 404, "no_connection", "no connection 99", "/api/status"],
    ["POST connections/99/backfill", 404, "no_connection", "no connection 99", "/api/status"],
    ["POST runs/99/approve", 404, "no_held_run", "no run 99 waits", "/api/status"],
    ["POST runs/99/reject", 404, "no_held_run", "no run 99 waits", "/api/status"],
    [
      "POST records/tasks/99/enable",
      409,
      "not_disabled",
      "tasks 99 has no disabled pairing",
      "/api/status",
    ],
    [
      "GET explain/tasks/99",
      404,
      "not_paired",
      "tasks 99 has no counterpart and no event",
      "no such row",
    ],
    [
      "GET explain/nothing/1",
      404,
      "not_paired",
      "nothing 1 has no counterpart and no event",
      "tasks, comments",
    ],
    ["GET nowhere", 404, "no_such_page", "/api/nowhere does not exist", "Start at /."],
    ["POST status", 404, "no_such_route", "POST /api/status does not exist", "Start at /."],
  ])("says what does not exist: %s", async (line, status, code, message, hint) => {
    expect(await ask(line)).toMatchObject({
      status,
      body: {
        error: {
          code,
          message: expect.stringContaining(message) as string,
          hint: expect.stringContaining(hint) as string,
        },
      },
    });
    expect(await app.status()).toMatchObject({
      connections: [{ inbound: true }, { inbound: true }],
    });
  });

  it("pauses the connection that is named, of two, and enables it again", async () => {
    const switched = async () =>
      (await app.status()).connections.map(({ inbound, outbound }) => [inbound, outbound]);
    const [, second] = (await app.status()).connections;
    expect(await ask(`POST connections/${second?.id ?? ""}/pause`)).toMatchObject({ status: 200 });
    expect(await switched()).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(await ask(`POST connections/${second?.id ?? ""}/enable`)).toMatchObject({ status: 200 });
    expect(await switched()).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  it("refuses a dry run that is neither true nor false, and reconciles nothing", async () => {
    const [first] = (await app.status()).connections;
    expect(await ask(`POST connections/${first?.id ?? ""}/reconcile?dry_run=yes`)).toEqual({
      status: 400,
      body: {
        error: {
          code: "invalid_query",
          message: 'dry_run is "yes"',
          hint: "Use true to see the plan only, or false.",
        },
      },
    });
  });

  it("answers what is well formed", async () => {
    const query = `state=queued&direction=inbound&record=tasks:1&connection=1&before=${NO_EVENT}&limit=5`;
    expect(await ask(`GET events?${query}`)).toMatchObject({ status: 200, body: { events: [] } });
  });
});

describe("a refusal", () => {
  it.each([
    [
      "events?stat=errored",
      "unknown_parameter",
      '/api/events has no parameter "stat"',
      "Its parameters: state, direction, record, connection, before, limit.",
    ],
    [
      "events?limit=5&state=errored&limit=7",
      "repeated_parameter",
      'the parameter "limit" is given twice',
      "Give it once.",
    ],
    [
      `events?record=tasks:${NUL}`,
      "bad_query",
      "record has a NUL character",
      "Leave it out; no value has one.",
    ],
  ])("names the parameter and what it takes: %s", async (path, code, message, hint) => {
    const refusal = refuseMalformed(new Request(`http://localhost/api/${path}`));
    expect(await refusal?.json()).toEqual({ error: { code, message, hint } });
  });
});
