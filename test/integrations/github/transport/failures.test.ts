/** The meaning of each failure of a request, and of its headers. */
import { describe, expect, test } from "vitest";
import { addMillis, SECOND } from "../../../../src/model/instant.ts";
import { VirtualClock } from "../../../../src/testing/virtual-clock.ts";
import {
  alwaysAnswering,
  comment,
  connectTo,
  failureOf,
  givenSite,
  issue,
  SITE,
} from "../given.ts";

/** An issue of mona's, and the two things the stories do to it. */
function givenIssue(options: Parameters<typeof givenSite>[0] = {}) {
  const story = givenSite(options);
  story.sim.as("mona").openIssue(SITE, { title: "Broken link" });
  const read = () => failureOf(story.site.read(issue(1)));
  const write = () => failureOf(story.site.patch(issue(1), { title: "Mended" }, {}, null));
  return { ...story, read, write };
}

/** The outcome of an answer that GitHub's simulator would never give. */
function answered(body: string, init?: Parameters<typeof alwaysAnswering>[1]) {
  const account = connectTo(alwaysAnswering(body, init), new VirtualClock(), { token: "t" });
  const site = account.container({ id: "42", name: SITE });
  return {
    read: () => failureOf(site.read(issue(1))),
    write: () => failureOf(site.patch(issue(1), { title: "Mended" }, {}, null)),
  };
}

describe("a request that gets no answer", () => {
  test("was not applied where no connection was made", async () => {
    const { sim, read, write } = givenIssue();
    sim.faults.api.refuseConnections = true;
    const unreachable = { kind: "retryable", code: "unreachable", applied: "no" };
    expect(await read()).toMatchObject({
      ...unreachable,
      message: expect.stringMatching(/^GET \S+\/1 found no connection to GitHub\.$/) as string,
      hint: expect.stringContaining("check the network, the proxy and baseUrl") as string,
      cause: expect.any(Error) as Error,
    });
    expect(await write()).toMatchObject(unreachable);
  });

  test("was not applied where the host's name was not found, on any of its addresses", async () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    const dns = Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
    for (const cause of [dns, new AggregateError([refused, dns])]) {
      const fetch = () => Promise.reject(new TypeError("fetch failed", { cause }));
      const site = connectTo(fetch, new VirtualClock(), { token: "t" }).container({
        id: "42",
        name: SITE,
      });
      const failure = await failureOf(site.patch(issue(1), { title: "Mended" }, {}, null));
      expect(failure).toMatchObject({ code: "unreachable", applied: "no" });
    }
  });

  test("may have been applied where one of several addresses took it", async () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    const reset = Object.assign(new Error("read"), { code: "ECONNRESET" });
    const cause = new AggregateError([refused, reset]);
    const fetch = () => Promise.reject(new TypeError("fetch failed", { cause }));
    const site = connectTo(fetch, new VirtualClock(), { token: "t" }).container({
      id: "42",
      name: SITE,
    });
    const failure = await failureOf(site.patch(issue(1), { title: "Mended" }, {}, null));
    expect(failure).toMatchObject({ code: "connection_lost", applied: "unknown" });
  });

  test("may have been applied where the connection was lost", async () => {
    const { sim, read, write } = givenIssue();
    sim.failNext({ with: "lost-answer" }, 2);
    expect(await write()).toMatchObject({
      kind: "retryable",
      code: "connection_lost",
      message: expect.stringMatching(/^PATCH \S+\/1 lost its connection\.$/) as string,
      hint: expect.stringContaining("check the network and www.githubstatus.com") as string,
      applied: "unknown",
    });
    expect(await read()).toMatchObject({ code: "connection_lost", applied: "no" });
    expect(sim.issue(SITE, 1)?.title).toBe("Mended");
  });

  test("is given up after ten seconds", async () => {
    const { clock, sim, write } = givenIssue();
    const hold = sim.holdNext();
    const failure = write();
    await hold.arrived;
    clock.advance(10_000);
    expect(await failure).toMatchObject({
      kind: "retryable",
      code: "timed_out",
      message: expect.stringMatching(/^PATCH \S+\/1 got no answer in time\.$/) as string,
      hint: expect.stringContaining("raise timeoutMs") as string,
      applied: "unknown",
    });
  });

  test("is given up when its caller is", async () => {
    const { sim, site } = givenIssue();
    const hold = sim.holdNext();
    const stopping = new AbortController();
    const failure = failureOf(site.patch(issue(1), { title: "Mended" }, {}, null, stopping.signal));
    await hold.arrived;
    stopping.abort();
    expect(await failure).toMatchObject({
      kind: "retryable",
      code: "aborted",
      message: expect.stringMatching(/^PATCH \S+\/1 was given up\.$/) as string,
      hint: "Tandem was stopping. It retries the request after its next start.",
      applied: "unknown",
    });
  });

  test("is not even sent when its caller was given up before, whatever it asks for", async () => {
    const { account, sim, site } = givenIssue();
    const over = AbortSignal.abort();
    const values = { title: "Mended" };
    const reply = { type: "issue_comment", values: { body: "A" }, parent: issue(1), token: "t" };
    const requests = {
      identity: () => account.identity(over),
      findContainer: () => account.findContainer(SITE, over),
      read: () => site.read(issue(1), over),
      create: () => site.create({ type: "issue", values, parent: null, token: "t" }, over),
      reply: () => site.create(reply, over),
      patch: () => site.patch(issue(1), values, {}, null, over),
      close: () => site.close(issue(1), "Deleted.", over),
      delete: () => site.delete(comment(1), over),
      children: () => site.children(issue(1), "issue_comment", over),
    };
    for (const [asked, ask] of Object.entries(requests)) {
      const { code, applied } = await failureOf(ask());
      expect([asked, code, applied]).toEqual([asked, "aborted", "no"]);
    }
    expect(sim.calls()).toBe(0);
  });

  test("is given up with its caller in the middle of several", async () => {
    const { sim, site } = givenIssue();
    const hold = sim.holdNext({ path: /comments$/ });
    const stopping = new AbortController();
    const failure = failureOf(site.close(issue(1), "Deleted.", stopping.signal));
    await hold.arrived;
    stopping.abort();
    expect(await failure).toMatchObject({ code: "aborted" });
  });

  test("may have been applied where the answer breaks off", async () => {
    const fetch = () =>
      Promise.resolve(
        new Response(
          new ReadableStream({
            start: (stream) => {
              stream.enqueue(new TextEncoder().encode('{"number":'));
              stream.error(new TypeError("terminated"));
            },
          }),
        ),
      );
    const site = connectTo(fetch, new VirtualClock(), { token: "t" }).container({
      id: "42",
      name: SITE,
    });
    const failure = await failureOf(site.patch(issue(1), { title: "Mended" }, {}, null));
    expect(failure).toMatchObject({ code: "connection_lost", applied: "unknown" });
  });
});

describe("a refusal", () => {
  test.each([
    [401, "credentials", "bad_credentials", "no"],
    [403, "permanent", "forbidden", "no"],
    [404, "not_found", "not_found", "no"],
    [408, "retryable", "timed_out", "unknown"],
    [409, "permanent", "refused", "no"],
    [422, "permanent", "validation_failed", "no"],
    [500, "retryable", "server_error", "unknown"],
    [502, "retryable", "server_error", "unknown"],
    [503, "retryable", "server_error", "unknown"],
  ])("with status %i is %s: %s", async (status, kind, code, applied) => {
    const { sim, site, read, write } = givenIssue();
    // A server that was never answered by number would be asked by name after a 404.
    await site.read(issue(1));
    sim.failNext({ with: status }, 2);
    const failure = await write();
    expect(failure).toMatchObject({ kind, code, status, applied });
    expect(failure.hint).not.toBe("");
    expect(failure.requestId).not.toBe("");
    expect(await read()).toMatchObject({ kind, applied: "no" });
  });

  test("names the field that GitHub did not take (situation 32)", async () => {
    const { site } = givenSite();
    const values = { title: "x".repeat(300) };
    const failure = await failureOf(
      site.create({ type: "issue", values, parent: null, token: "t" }),
    );
    expect(failure).toMatchObject({ kind: "permanent", code: "validation_failed", status: 422 });
    expect(failure.message).toMatch(/Validation Failed \(title /);
  });

  test("tells the id by which GitHub's support finds the request", async () => {
    const { requestId } = await answered("{}", {
      status: 500,
      headers: { "x-github-request-id": "C0FFEE" },
    }).read();
    expect(requestId).toBe("C0FFEE");
  });

  test("holds no credentials, wherever one looks", async () => {
    const { read, sim } = givenIssue();
    for (const fault of [500, "reset"] as const) {
      sim.failNext({ with: fault });
      const failure = await read();
      const all: unknown[] = [failure.message];
      for (let cause = failure.cause; cause instanceof Error; cause = cause.cause) {
        all.push(cause.message, cause.stack, Object.entries(cause));
      }
      expect(JSON.stringify(all)).not.toContain("t0ken");
    }
  });
});

describe("a rate limit pauses the account (situation 31)", () => {
  test.each([403, 429] as const)(
    "for as long as the secondary limit says, by %i",
    async (status) => {
      const { sim, write } = givenIssue();
      sim.faults.api.secondaryLimit = { retryAfterSeconds: 90, status };
      expect(await write()).toMatchObject({
        kind: "rate_limited",
        applied: "no",
        retryAfterMs: 90_000,
      });
    },
  );

  test("until the budget is reset", async () => {
    const { clock, sim, read, telemetry } = givenIssue();
    sim.setRateLimit("tandem[bot]", 0, 600);
    expect(await read()).toMatchObject({
      kind: "rate_limited",
      status: 403,
      retryAfterMs: 600_000,
    });
    expect(telemetry).toMatchObject([{ remaining: 0, resetAt: addMillis(clock.now(), 600_000) }]);
  });

  test("for a minute where GitHub does not say how long", async () => {
    expect(await answered("{}", { status: 429 }).read()).toMatchObject({
      kind: "rate_limited",
      retryAfterMs: 60_000,
    });
  });

  test("until the reset in our own time, where the clocks differ", async () => {
    const clock = new VirtualClock();
    const ahead = addMillis(clock.now(), 30_000);
    const headers = {
      date: new Date(ahead / 1000).toUTCString(),
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(addMillis(ahead, 600_000) / SECOND),
    };
    expect(await answered("{}", { status: 403, headers }).read()).toMatchObject({
      retryAfterMs: 600_000,
    });
  });
});

describe("a success that makes no sense", () => {
  test.each([
    ["a page of a proxy", "<html>Please log in</html>", "it is not JSON"],
    ["half an issue", '{"number":1}', "title"],
    ["another issue", issueText(2), "it is about 2, not 1"],
    [
      "a time without an offset",
      issueText(1).replace("09:00:00Z", "09:00:00"),
      "updated_at: not a time with an offset",
    ],
  ])("such as %s may pass, and a write may have been applied", async (name, body, problem) => {
    const { read, write } = answered(body, { headers: { "x-github-request-id": "C0FFEE" } });
    const failure = await write();
    expect(failure).toMatchObject({
      kind: "retryable",
      code: "malformed_answer",
      applied: "unknown",
      hint: expect.stringContaining("GitHub's format may have changed") as string,
      status: 200,
      requestId: "C0FFEE",
    });
    expect(failure.cause instanceof Error).toBe(name !== "another issue");
    expect(failure.message).toContain(problem);
    expect(await read()).toMatchObject({ code: "malformed_answer", applied: "no" });
  });
});

describe("GitHub's clock", () => {
  test("is taken for right where ours could have read the same", async () => {
    const { clock, site, telemetry, sim } = givenSite();
    sim.as("mona").openIssue(SITE, { title: "Broken link" });
    clock.advance(640);
    await site.read(issue(1));
    expect(telemetry[0]?.clockOffset).toBe(0);
  });

  test.each([30_000, -30_000])(
    "is %i ms off, taken half way between question and answer",
    async (off) => {
      const clock = new VirtualClock();
      const date = new Date(addMillis(clock.now(), 1_000 + off) / 1000).toUTCString();
      const slow: typeof fetch = () => {
        clock.advance(2_000);
        return Promise.resolve(new Response(issueText(1), { headers: { date } }));
      };
      const account = connectTo(slow, clock, { token: "t" });
      const offsets: unknown[] = [];
      account.onTelemetry(({ clockOffset }) => offsets.push(clockOffset));
      await account.container({ id: "42", name: SITE }).read(issue(1));
      expect(offsets).toEqual([off * 1_000]);
    },
  );
});

function issueText(number: number): string {
  return JSON.stringify({
    number,
    title: "Broken link",
    html_url: `https://github.com/acme/site/issues/${String(number)}`,
    updated_at: "2026-03-02T09:00:00Z",
  });
}
