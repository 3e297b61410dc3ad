/** Situation 73, at the adapter: what GitHub would never say is tried again, and never taken for the truth. */
import { describe, expect, test } from "vitest";
import { ANSWER_LIMIT } from "../../../../src/integrations/github/transport/bounded-answer.ts";
import { VirtualClock } from "../../../../src/testing/virtual-clock.ts";
import {
  alwaysAnswering,
  connectTo,
  failureOf,
  givenSite,
  issue,
  observationsOf,
  SITE,
} from "../given.ts";

const API = "https://api.github.com";
const NEW = { type: "issue", values: { title: "New" }, parent: null, token: "t" } as const;

function siteOf(fetch: typeof globalThis.fetch, clock = new VirtualClock()) {
  return connectTo(fetch, clock, { token: "t" }).container({ id: "42", name: SITE });
}

function redirecting(location: string) {
  return siteOf(
    alwaysAnswering('{"message":"Moved Permanently"}', { status: 301, headers: { location } }),
  );
}

/** A list whose next page is what `next` says of the number of those that were read. */
function listing(body: (read: number) => string, next: (read: number) => string) {
  let read = 0;
  return siteOf(() => {
    read += 1;
    // A reader that never ends fails here, and not when the memory is full.
    if (read > 1_000) return Promise.reject(new Error("a thousand pages were read"));
    const headers = { "content-type": "application/json", link: `<${next(read)}>; rel="next"` };
    return Promise.resolve(new Response(body(read), { headers }));
  });
}

/** A page of one issue that no page before it had. */
function news(read: number): string {
  const html_url = `https://github.com/${SITE}/issues/${String(read)}`;
  return JSON.stringify([
    { number: read, title: "New", html_url, updated_at: "2026-01-01T00:00:00Z" },
  ]);
}

const nothing = () => "[]";

describe("a redirect", () => {
  test.each([
    ["for a path below the repository", `${API}/repositories/43/issues`],
    ["to the same place", `${API}/repositories/42/issues/1`],
    ["to another host", "https://elsewhere.example/repositories/43/issues/1"],
    ["to an issue that is not there", `${API}/repositories/43/issues/7`],
    ["to nothing that is an address", "http://"],
  ])("%s may pass, and nothing was written", async (_, location) => {
    const site = redirecting(location);
    const misled = { kind: "retryable", code: "unexpected_redirect", applied: "no", moved: null };
    expect(await failureOf(site.create(NEW))).toMatchObject(misled);
    // To an issue that itself redirects it is believed: it may have been transferred on.
    if (location.endsWith("/7")) return;
    expect(await failureOf(site.patch(issue(1), { title: "A" }, {}, null))).toMatchObject(misled);
  });

  test("to an issue that is not found is not believed", async () => {
    const { clock, sim } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "First" });
    const { id } = sim.repository(SITE);
    const site = connectTo(
      (input, init) => {
        const { pathname } = new URL(input instanceof Request ? input.url : String(input));
        if (!pathname.startsWith(`/repositories/${String(id)}/`)) return sim.fetch(input, init);
        const headers = {
          location: `${API}/repositories/987654321/issues/1`,
          "x-github-request-id": "C0FFEE",
        };
        return Promise.resolve(Response.json({}, { status: 301, headers }));
      },
      clock,
      { token: "t0ken" },
    ).container({ id: String(id), name: SITE });
    expect(await failureOf(site.read(issue(1)))).toMatchObject({
      code: "unexpected_redirect",
      message: expect.stringMatching(
        /^GitHub answered 301 to GET .* with a redirect to .*\/repositories\/987654321\/issues\/1/,
      ) as string,
      applied: "no",
      status: 301,
      requestId: "C0FFEE",
      cause: expect.objectContaining({ kind: "moved" }) as Error,
    });
  });
});

describe("a redirect that cannot be followed up now", () => {
  test.each([
    ["a rate limit", 429, { kind: "rate_limited" }],
    ["an outage", 503, { code: "unexpected_redirect" }],
  ])("because of %s is neither a move nor a deletion", async (_name, status, expected) => {
    const site = siteOf((input) => {
      const { pathname } = new URL(input instanceof Request ? input.url : String(input));
      const moves = pathname.startsWith("/repositories/42/");
      const headers = moves ? { location: `${API}/repositories/43/issues/1` } : {};
      return Promise.resolve(Response.json({}, { status: moves ? 301 : status, headers }));
    });
    expect(await failureOf(site.read(issue(1)))).toMatchObject({ ...expected, moved: null });
  });
});

describe("a refusal that GitHub did not write", () => {
  test.each([401, 403, 404, 410, 422])("with status %i may pass", async (status) => {
    const headers = { "content-type": "text/html" };
    const site = siteOf(alwaysAnswering("<h1>Sign in</h1>", { status, headers }));
    expect(await failureOf(site.read(issue(1)))).toMatchObject({
      kind: "retryable",
      code: "not_from_github",
      status,
    });
  });
});

describe("pages without an end", () => {
  test("that lead to one that was read are left", async () => {
    let pages = 0;
    const site = listing(
      (read) => news((pages = read)),
      (read) => `${API}/repositories/42/issues?page=${String(read % 3)}`,
    );
    expect(await failureOf(observationsOf(site))).toMatchObject({
      kind: "retryable",
      code: "endless_pages",
      message: expect.stringMatching(
        /^GitHub's pages behind GET \/repositories\/42\/issues\S* do not end: 4 were read\.$/,
      ) as string,
      hint: expect.stringContaining("check baseUrl and any proxy") as string,
      applied: "no",
      status: 200,
    });
    expect(pages).toBe(4);
  });

  test("that bring nothing new are left", async () => {
    let asked = 0;
    const site = listing(nothing, (read) => {
      asked = read;
      return `${API}/repositories/42/issues?page=${String(read)}`;
    });
    expect(await failureOf(observationsOf(site))).toMatchObject({
      kind: "retryable",
      code: "endless_pages",
    });
    expect(asked).toBeLessThan(20);
  });

  test("that lead to another repository are not read", async () => {
    const site = listing(nothing, () => `${API}/repositories/43/issues?page=2`);
    expect(await failureOf(observationsOf(site))).toMatchObject({ code: "malformed_answer" });
  });
});

describe("an answer beyond all measure", () => {
  test("is not read to its end", async () => {
    let sent = 0;
    const blank = new Uint8Array(1024 * 1024).fill(0x20);
    const site = siteOf(() => {
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += blank.byteLength;
          if (sent > 2 * ANSWER_LIMIT) controller.close();
          else controller.enqueue(blank);
        },
      });
      return Promise.resolve(new Response(body));
    });
    expect(await failureOf(site.patch(issue(1), { title: "A" }, {}, null))).toMatchObject({
      kind: "retryable",
      code: "answer_too_large",
      message: expect.stringMatching(/ got an answer of more than \d+ MiB\.$/) as string,
      hint: expect.stringContaining("check baseUrl and any proxy") as string,
      applied: "unknown",
    });
    expect(sent).toBeLessThan(ANSWER_LIMIT + 4 * blank.byteLength);
  });

  test("asks for a pause of at most an hour", async () => {
    const headers = { "retry-after": "9999999999" };
    const site = siteOf(alwaysAnswering("{}", { status: 429, headers }));
    const { kind, retryAfterMs } = await failureOf(site.read(issue(1)));
    expect({ kind, retryAfterMs }).toEqual({
      kind: "rate_limited",
      retryAfterMs: 60 * 60_000,
    });
  });

  test.each([
    ["a budget", { "x-ratelimit-reset": "9999999999" }],
    ["its own clock", { date: "Fri, 01 Jan 99999 00:00:00 GMT" }],
  ])("tells no time of %s that is beyond all calendars", async (_, headers) => {
    const site = siteOf(alwaysAnswering("{}", { status: 500, headers }));
    expect(await failureOf(site.read(issue(1)))).toMatchObject({ code: "server_error" });
  });
});
