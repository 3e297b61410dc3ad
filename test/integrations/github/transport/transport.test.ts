/** One request and its answer: statuses, headers as telemetry, the clock's offset and the time-out. */
import { describe, expect, test } from "vitest";
import {
  instantOfDate,
  isRedirect,
  Transport,
} from "../../../../src/integrations/github/transport/transport.ts";
import type { Telemetry } from "../../../../src/integrations/integration.ts";
import { addMillis, formatInstant, instantFromMillis } from "../../../../src/model/instant.ts";
import { VirtualClock } from "../../../../src/testing/virtual-clock.ts";
import { failureOf } from "../given.ts";

const API = "https://api.github.com";
const READ = { method: "GET", url: "/x", authorization: "Bearer t" } as const;

interface Given {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | null;
  /** How long the answer takes. */
  readonly takes?: number;
  readonly timeoutMs?: number;
}

function given({ status = 200, headers = {}, body = "{}", takes = 0, timeoutMs = 500 }: Given) {
  const clock = new VirtualClock();
  const telemetry: Telemetry[] = [];
  const transport = new Transport({
    baseUrl: API,
    fetch: () => {
      clock.advance(takes);
      return Promise.resolve(new Response(body, { status, headers }));
    },
    timeoutMs,
    now: () => clock.now(),
    setTimer: (millis, fire) => clock.setTimer(millis, fire),
    onTelemetry: (one) => telemetry.push(one),
  });
  return { clock, telemetry, transport };
}

describe("the status of an answer", () => {
  test.each([200, 201, 202, 299])("%i is a success", async (status) => {
    const answer = await given({ status }).transport.send(READ);
    expect(answer).toMatchObject({
      request: { method: "GET", path: "/x" },
      status,
      text: "{}",
      validator: null,
    });
  });

  test("204 has an empty text", async () => {
    const answer = await given({ status: 204, body: null }).transport.send(READ);
    expect(answer).toMatchObject({ status: 204, text: "" });
  });

  test("304 is an answer to a conditional request only", async () => {
    const { transport } = given({ status: 304, body: null });
    const conditional = { ...READ, ifNoneMatch: '"v1"' };
    expect(await transport.send(conditional)).toMatchObject({ status: 304, text: "" });
    const unasked = { kind: "retryable", code: "unexpected_redirect", status: 304 };
    expect(await failureOf(transport.send(READ))).toMatchObject(unasked);
    const asked = { ...READ, ifNoneMatch: null, redirectAnswers: true };
    expect(await failureOf(transport.send(asked))).toMatchObject(unasked);
  });

  test.each([301, 302, 307, 308])("%i is an answer if redirects are asked for", async (status) => {
    const { transport } = given({ status, headers: { location: "/y" } });
    const asked = { ...READ, redirectAnswers: true };
    expect(await transport.send(asked)).toMatchObject({ status, headers: { location: "/y" } });
    expect(await failureOf(transport.send({ ...asked, redirectAnswers: false }))).toMatchObject({
      code: "unexpected_redirect",
    });
    expect(await failureOf(transport.send(READ))).toMatchObject({ code: "unexpected_redirect" });
  });

  test.each([
    [299, false],
    [300, false],
    [301, true],
    [304, false],
    [399, true],
    [400, false],
  ])("%i is a redirect: %s", (status, redirects) => {
    expect(isRedirect(status)).toBe(redirects);
  });
});

describe("the headers of an answer", () => {
  const budget = {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4999",
    "x-ratelimit-reset": "1772445600",
  };
  const resetAt = instantFromMillis(1_772_445_600_000);

  test("tell the budget, also with a failure", async () => {
    const told = { limit: 5000, remaining: 4999, resetAt, clockOffset: null };
    const good = given({ headers: budget });
    await good.transport.send(READ);
    expect(good.telemetry).toEqual([told]);
    const bad = given({ headers: budget, status: 500 });
    await failureOf(bad.transport.send(READ));
    expect(bad.telemetry).toEqual([told]);
  });

  test("tell no budget of the account if the App asks", async () => {
    const { transport, telemetry } = given({ headers: budget });
    await transport.send({ ...READ, asApp: true });
    expect(telemetry).toEqual([{ limit: null, remaining: null, resetAt: null, clockOffset: null }]);
  });

  test.each(["", "many", "-1", "1.5"])("tell no budget by %j", async (text) => {
    const headers = Object.fromEntries(Object.keys(budget).map((name) => [name, text]));
    const { transport, telemetry } = given({ headers });
    await transport.send(READ);
    expect(telemetry).toMatchObject([{ limit: null, remaining: null, resetAt: null }]);
  });

  test("name the path below the API, or the whole address elsewhere", async () => {
    const { transport } = given({ status: 500 });
    const message = async (url: string) =>
      (await failureOf(transport.send({ ...READ, url }))).message;
    expect(await message(`${API}/x?y=1`)).toBe("GitHub answered 500 to GET /x?y=1.");
    expect(await message("https://elsewhere.example/x")).toBe(
      "GitHub answered 500 to GET https://elsewhere.example/x.",
    );
  });
});

describe("the offset of GitHub's clock", () => {
  /** The offset that an answer tells, dated so many milliseconds after the request was sent. */
  async function offsetOf(dated: number, takes: number, before = 0) {
    const clock = new VirtualClock();
    clock.advance(before);
    const date = new Date(addMillis(clock.now(), dated) / 1_000).toUTCString();
    const story = given({ headers: { date }, takes });
    story.clock.advance(before);
    await story.transport.send(READ);
    const { clockOffset } = story.telemetry[0] ?? {};
    const shown = story.transport.providerNow() - story.transport.now();
    expect(shown).toBe(clockOffset);
    return clockOffset;
  }

  test.each([
    ["the second of the request", 0, 0, 0, 0],
    ["the second of the request, late in it", 0, 0, 999, 0],
    ["the second of the answer", 2_000, 2_000, 0, 0],
    ["the second after the answer", 3_000, 2_000, 0, 2_000_000],
    ["the second before the request", -1_000, 2_000, 0, -2_000_000],
  ])("is taken from %s", async (_which, dated, takes, before, offset) => {
    expect(await offsetOf(dated, takes, before)).toBe(offset);
  });

  test("is unknown without a date, and the last one stays", async () => {
    const { transport, telemetry } = given({});
    await transport.send(READ);
    expect(telemetry[0]?.clockOffset).toBeNull();
    expect(transport.providerNow()).toBe(transport.now());
  });

  test.each([
    ["Mon, 02 Mar 2026 09:00:00 GMT", "2026-03-02T09:00:00.000000Z"],
    ["Wed, 01 Jan 2200 00:00:00 GMT", "2200-01-01T00:00:00.000000Z"],
    ["Wed, 01 Jan 2200 00:00:01 GMT", null],
    ["yesterday", null],
    ["", null],
    [undefined, null],
  ])("is read out of the date %j", (date, expected) => {
    const at = instantOfDate(date);
    expect(at === null ? null : formatInstant(at)).toBe(expected);
  });
});

describe("the time-out of a request", () => {
  test("is the transport's own, and no timer is left after an answer", async () => {
    const hanging = given({ timeoutMs: 500 });
    const silent = new Transport({
      baseUrl: API,
      fetch: (_input, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => {
            reject(new DOMException("", "AbortError"));
          });
        }),
      timeoutMs: 500,
      now: () => hanging.clock.now(),
      setTimer: (millis, fire) => hanging.clock.setTimer(millis, fire),
      onTelemetry: () => undefined,
    });
    const failure = failureOf(silent.send(READ));
    hanging.clock.advance(499);
    hanging.clock.advance(1);
    expect(await failure).toMatchObject({ code: "timed_out", applied: "no" });
    await hanging.transport.send(READ);
    expect(hanging.clock.nextTimer()).toBeNull();
  });
});
