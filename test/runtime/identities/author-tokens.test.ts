/** The outcome of a create whose author's token does not work. */
import { beforeEach, describe, expect, it } from "vitest";
import { github } from "../../../src/integrations/github/index.ts";
import {
  IntegrationError,
  type IntegrationErrorKind,
} from "../../../src/integrations/integration.ts";
import { createAuthorTokens, insteadOf } from "../../../src/runtime/identities/author-tokens.ts";
import { createApiClients } from "../../../src/runtime/services/api-clients.ts";
import type { Claimed } from "../../../src/runtime/services/claimed.ts";
import type { TokenHook } from "../../../src/runtime/settings/hooks.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { keptLog, type Line } from "../../harness/kept-log.ts";
import { openMemoryStore, present } from "../../store/opened-store.ts";

function failed(kind: IntegrationErrorKind, applied: "no" | "unknown" = "no"): IntegrationError {
  return new IntegrationError({ kind, code: "x", message: "", hint: "", applied });
}

describe("a failed create under an author's own token", () => {
  it.each([
    ["credentials", "author_token_refused"],
    ["not_found", "author_token_refused"],
    ["permanent", "author_token_refused"],
    ["rate_limited", "author_token_limited"],
  ] as const)("is sent by the account if the failure is %s: %s", (kind, instead) => {
    expect(insteadOf(failed(kind))).toBe(instead);
  });

  it.each(["retryable", "gone", "moved"] as const)(
    "fails like any other if the failure is %s",
    (kind) => {
      expect(insteadOf(failed(kind))).toBeNull();
    },
  );

  it.each(["retryable", "permanent", "credentials"] as const)(
    "that may have been applied (%s) is looked for, and never done again at once",
    (kind) => {
      expect(insteadOf(failed(kind, "unknown"))).toBeNull();
    },
  );

  it("is not what failed where something else did", () => {
    expect(insteadOf(new Error("the database is away"))).toBeNull();
  });
});

describe("the app's answer to who writes", () => {
  const MONA = { id: "1", row: { id: "1", name: "Mona" } };
  let clock: VirtualClock;
  let lines: Line[];
  /** How often GitHub was asked who a token is, and what it answers. */
  let asked: number;
  let status: number;
  let hook: TokenHook;
  let ask: () => Promise<readonly unknown[]>;

  beforeEach(async () => {
    clock = new VirtualClock();
    asked = 0;
    status = 200;
    hook = () => ({ token: "ghp_monas" });
    const { store } = await openMemoryStore();
    const kept = keptLog();
    ({ lines } = kept);
    const gateway = createApiClients({
      ...{ store, clock, integrations: new Map([["github", github()]]) },
      reveal: (credentials) => credentials,
      fetch: () => {
        asked += 1;
        return Promise.resolve(Response.json({ id: 7, login: "mona" }, { status }));
      },
    });
    const contact = present((await store.directory.contacts())[0]);
    const account = { ...contact.account, identity: { id: "9", login: "tandem-bot" } };
    const tokens = createAuthorTokens({
      ...{ gateway, clock, log: kept.log },
      hook: (request) => hook(request),
    });
    const claim = { event: "e", worker: "ada", epoch: 1 };
    const claimed = { lane: "l", claim } as unknown as Claimed;
    ask = async () => {
      const { author, writer } = await tokens.ask(claimed, { ...contact, account }, MONA);
      return [author, writer.kind === "author" ? writer.actor.login : (writer.instead ?? null)];
    };
  });

  it("is not repeated for a minute after her token was refused, and is then", async () => {
    status = 401;
    expect(await ask()).toEqual(["1", "author_token_refused"]);
    expect(asked).toBe(1);
    status = 200;
    clock.advance(59_999);
    expect(await ask()).toEqual(["1", "author_token_refused"]);
    expect([asked, lines.length]).toEqual([1, 1]);
    clock.advance(1);
    expect(await ask()).toEqual(["1", "mona"]);
    expect(asked).toBe(2);
  });

  it("is waited for five seconds, and not asked for within the minute after that", async () => {
    let calls = 0;
    hook = () => {
      calls += 1;
      return new Promise(() => undefined);
    };
    const answer = ask();
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    clock.advance(5_000);
    expect(await answer).toEqual(["1", "author_token_unavailable"]);
    expect(lines).toEqual([
      {
        message: "the account writes in its author's place",
        ...{ lane: "l", event: "e", integration: "github", user: "1" },
        ...{ account: expect.any(String) as string, connection: expect.any(String) as string },
        code: "token_hook_too_slow",
        cause: "identities.token did not answer within 5 seconds.",
        hint: "Let it read the token from a fast store, and return null if there is none. Tandem calls it again in a minute.",
      },
    ]);
    hook = () => {
      calls += 1;
      return null;
    };
    clock.advance(59_999);
    expect(await ask()).toEqual(["1", "author_token_unavailable"]);
    expect([calls, lines.length]).toEqual([1, 1]);
    clock.advance(1);
    expect(await ask()).toEqual(["1", null]);
    expect(calls).toBe(2);
  });

  it("is remembered for the thousand tokens that were used last", async () => {
    let token = "";
    hook = () => ({ token });
    const use = async (name: string) => {
      token = name;
      const before = asked;
      await ask();
      return asked - before;
    };
    for (let number = 0; number < 1_000; number += 1) await use(String(number));
    expect(asked).toBe(1_000);
    expect(await use("0")).toBe(0);
    expect(await use("1000")).toBe(1);
    expect(await use("0")).toBe(0);
    expect(await use("1")).toBe(1);
  });

  it("is the account, if there is no token", async () => {
    hook = () => undefined;
    expect(await ask()).toEqual(["1", null]);
    expect(asked).toBe(0);
  });
});
