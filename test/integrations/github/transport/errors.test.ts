/** The facts of a refusal: how long it pauses, where it leads, and how it quotes GitHub. */
import { describe, expect, test } from "vitest";
import {
  instantOfSeconds,
  LAST_SECOND,
  misled,
  networkError,
  type Refusal,
  refusalError,
} from "../../../../src/integrations/github/transport/errors.ts";
import { addMillis, instantFromMillis, SECOND } from "../../../../src/model/instant.ts";

const API = "https://api.github.com";
const PATH = "/repositories/42/issues/1";
const NOW = instantFromMillis(Date.UTC(2026, 2, 2, 9));
const HOUR = 3_600_000;

function refused(status: number, change: Partial<Refusal> & { readonly path?: string } = {}) {
  const { path = PATH, ...answer } = change;
  const request = { method: "PATCH", path };
  const usual = { status, headers: {}, body: {}, baseUrl: API, now: NOW, clockOffset: 0 };
  return refusalError(request, { ...usual, ...answer });
}

/** The second that lies so far ahead of our clock. */
const inSeconds = (seconds: number) => String(NOW / SECOND + seconds);

describe("the pause of a rate limit", () => {
  test.each([
    ["is what the answer says", { "retry-after": "7" }, 7_000],
    ["may be nothing", { "retry-after": "0" }, 0],
    ["is at most an hour", { "retry-after": "3601" }, HOUR],
    ["is a minute for a text that is no number", { "retry-after": "soon" }, 60_000],
    ["is a minute for a negative number", { "retry-after": "-5" }, 60_000],
    ["is a minute for a number of eleven digits", { "retry-after": "12345678901" }, 60_000],
    [
      "lasts until the reset if nothing remains",
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": inSeconds(90) },
      90_000,
    ],
    [
      "is a minute while something remains",
      { "x-ratelimit-remaining": "1", "x-ratelimit-reset": inSeconds(90) },
      60_000,
    ],
    ["is a minute without a reset", { "x-ratelimit-remaining": "0" }, 60_000],
    [
      "is at least a second",
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": inSeconds(-90) },
      1_000,
    ],
    [
      "is at most an hour before a later reset",
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": inSeconds(7_200) },
      HOUR,
    ],
    [
      "follows the answer before the reset",
      {
        "retry-after": "7",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": inSeconds(90),
      },
      7_000,
    ],
  ])("%s", (_rule, headers, retryAfterMs) => {
    expect(refused(429, { headers })).toMatchObject({ kind: "rate_limited", retryAfterMs });
  });

  test.each([
    ["GitHub's clock leads", 30 * SECOND, 60_000],
    ["GitHub's clock lags", -30 * SECOND, 120_000],
  ])("is counted by our clock if %s", (_how, clockOffset, retryAfterMs) => {
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": inSeconds(90) };
    expect(refused(429, { headers, clockOffset })).toMatchObject({ retryAfterMs });
  });

  test("is rounded up, because a millisecond too early is refused again", () => {
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": inSeconds(90) };
    const now = addMillis(NOW, -0.5);
    expect(refused(429, { headers, now })).toMatchObject({ retryAfterMs: 90_001 });
  });

  test.each([
    [403, { "retry-after": "7" }, "rate_limited"],
    [403, { "x-ratelimit-remaining": "0" }, "rate_limited"],
    [403, { "x-ratelimit-remaining": "1" }, "permanent"],
    [403, {}, "permanent"],
    [401, { "retry-after": "7" }, "credentials"],
    [503, { "retry-after": "7" }, "retryable"],
  ])("belongs to status %i with %j: %s", (status, headers, kind) => {
    const failure = refused(status, { headers });
    expect(failure.kind).toBe(kind);
    expect(failure.retryAfterMs === null).toBe(kind !== "rate_limited");
  });
});

describe("a time in seconds", () => {
  test.each([
    ["0", instantFromMillis(0)],
    [String(LAST_SECOND), instantFromMillis(Date.UTC(2200, 0))],
    [String(LAST_SECOND + 1), null],
    ["1.5", null],
    ["", null],
    [undefined, null],
  ])("%j is read as %j", (text, at) => {
    expect(instantOfSeconds(text)).toBe(at);
  });
});

describe("the status of a refusal", () => {
  test.each([
    [299, "permanent"],
    [300, "retryable"],
    [399, "retryable"],
    [400, "permanent"],
    [499, "permanent"],
    [500, "retryable"],
    [599, "retryable"],
  ])("%i means %s", (status, kind) => {
    expect(refused(status).kind).toBe(kind);
  });

  test.each([
    [499, "<html>", "not_from_github"],
    [499, null, "not_from_github"],
    [500, "<html>", "server_error"],
    [429, "<html>", "rate_limited"],
    [302, "<html>", "unexpected_redirect"],
  ])("%i with the body %j is %s", (status, body, code) => {
    expect(refused(status, { body })).toMatchObject({ code });
  });
});

describe("a redirect", () => {
  const to = (location: string, path = PATH) => refused(301, { headers: { location }, path }).moved;
  const moved = {
    ref: { type: "issue", externalId: "1" },
    to: { containerId: "43", externalId: "9" },
  };

  test.each([
    ["an issue's address", `${API}/repositories/43/issues/9`],
    ["an address below it", `${API}/repositories/43/issues/9/comments`],
    ["an address with a query", `${API}/repositories/43/issues/9?page=2`],
    ["a path of the same API", "/repositories/43/issues/9"],
  ])("to %s in another repository is a move", (_what, location) => {
    expect(to(location)).toEqual(moved);
    expect(to(location, `${PATH}/labels`)).toEqual(moved);
    expect(to(location, `${PATH}?page=2`)).toEqual(moved);
  });

  test("to another number in the same repository is a move", () => {
    expect(to(`${API}/repositories/42/issues/9`)).toEqual({
      ...moved,
      to: { containerId: "42", externalId: "9" },
    });
  });

  test("to the same number in another repository is a move", () => {
    expect(to(`${API}/repositories/43/issues/1`)).toEqual({
      ...moved,
      to: { containerId: "43", externalId: "1" },
    });
  });

  test.each([
    ["the same issue", `${API}/repositories/42/issues/1`],
    ["a comment", `${API}/repositories/43/issues/comments/9`],
    ["a number with text behind it", `${API}/repositories/43/issues/9x`],
    ["a repository", `${API}/repositories/43`],
    ["a path that ends like an issue's", `${API}/x/repositories/43/issues/9`],
    ["another host", "https://elsewhere.example/repositories/43/issues/9"],
    ["a host that begins alike", `${API}.example/repositories/43/issues/9`],
    ["no address", "http://"],
    ["nothing", ""],
  ])("to %s is no move", (_what, location) => {
    expect(to(location)).toBeNull();
  });

  test("is no move if the request is about no issue", () => {
    expect(to(`${API}/repositories/43/issues/9`, "/repositories/42/issues")).toBeNull();
    expect(to(`${API}/repositories/43/issues/9`, "/user")).toBeNull();
  });

  test("is a move only by its status", () => {
    const headers = { location: `${API}/repositories/43/issues/9` };
    expect(refused(404, { headers })).toMatchObject({ kind: "not_found", moved: null });
    expect(refused(301, { headers })).toMatchObject({ kind: "moved", code: "moved", moved });
  });

  test("that cannot be right keeps its message and its request's id", () => {
    const headers = {
      location: `${API}/repositories/43/issues/9`,
      "x-github-request-id": "C0FFEE",
    };
    const cause = refused(301, { headers });
    expect(misled(cause)).toMatchObject({
      kind: "retryable",
      code: "unexpected_redirect",
      message: cause.message,
      applied: "no",
      status: 301,
      requestId: "C0FFEE",
      moved: null,
      cause,
    });
  });
});

describe("a message", () => {
  test.each([
    ["nothing", {}, ""],
    ["a message without its full stop", { message: "Not Found." }, ": Not Found"],
    ["no message that is no text", { message: 5 }, ""],
    ["errors without a message", { errors: ["too long"] }, ":  (too long)"],
    [
      "the parts of each error that are texts",
      {
        message: "Validation Failed",
        errors: [
          { field: "title", code: "missing", message: "is needed", value: "x", resource: "Issue" },
          { field: "body", code: 7 },
          "a text",
          null,
          4,
        ],
      },
      ": Validation Failed (title missing is needed x; body; a text; null; 4)",
    ],
    ["no errors that are no list", { message: "No", errors: {} }, ": No"],
    ["no text", "<html>", ""],
    ["no null", null, ""],
  ])("quotes %s", (_what, body, quoted) => {
    expect(refused(400, { body }).message).toBe(`GitHub answered 400 to PATCH ${PATH}${quoted}.`);
  });

  test("names the redirect before the quotation", () => {
    const answer = { headers: { location: "/x" }, body: { message: "Moved" } };
    expect(refused(302, answer).message).toBe(
      `GitHub answered 302 to PATCH ${PATH} with a redirect to /x: Moved.`,
    );
  });

  test("comes without an id if GitHub gave none", () => {
    expect(refused(400).requestId).toBeNull();
  });
});

describe("a request without an answer", () => {
  const codes = (code: string) => Object.assign(new Error("failed"), { code });
  const post = { method: "POST", path: "/x" };
  const failed = (cause: unknown) => networkError(post, cause, "failed");

  test.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"])(
    "was never sent if its cause is %s",
    (code) => {
      expect(failed(codes(code))).toMatchObject({ code: "unreachable", applied: "no" });
      const wrapped = new TypeError("fetch failed", { cause: codes(code) });
      expect(failed(wrapped)).toMatchObject({ code: "unreachable", applied: "no", cause: wrapped });
    },
  );

  test.each([
    ["another code", codes("ECONNRESET")],
    ["a code that is no text", Object.assign(new Error("failed"), { code: 7 })],
    ["no code", new Error("failed")],
    ["several addresses of which none is named", new AggregateError([])],
    ["no error", "ECONNREFUSED"],
  ])("may have been sent if its cause has %s", (_what, cause) => {
    expect(failed(cause)).toMatchObject({ code: "connection_lost", applied: "unknown" });
  });

  test("was sent when it was given up, unless it was given up before", () => {
    expect(networkError(post, null, "aborted")).toMatchObject({ applied: "unknown" });
    expect(networkError(post, null, "timed_out")).toMatchObject({ applied: "unknown" });
    expect(networkError(post, null, "not_sent")).toMatchObject({
      code: "aborted",
      applied: "no",
      message: "POST /x was given up.",
    });
    expect(networkError({ ...post, method: "GET" }, null, "aborted")).toMatchObject({
      applied: "no",
    });
  });
});
