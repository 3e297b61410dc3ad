/** The clients of accounts save facts of answers: clock, rate limit, identity, state. */
import { beforeEach, describe, expect, it } from "vitest";
import { github } from "../../../src/integrations/github/index.ts";
import type { AccountId } from "../../../src/model/ids.ts";
import { addMillis, MILLISECOND, SECOND } from "../../../src/model/instant.ts";
import { type ApiClients, createApiClients } from "../../../src/runtime/services/api-clients.ts";
import type { AccountRecord, Store } from "../../../src/store/store.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { openMemoryStore, type OpenedStore, present } from "../../store/opened-store.ts";

const ISSUE = {
  ...{ number: 7, title: "Broken", body: "", html_url: "https://github.com/acme/site/issues/7" },
  ...{ updated_at: "2026-03-02T08:00:00Z", state: "open" },
};

describe("the clients of accounts", () => {
  let store: Store;
  let clock: VirtualClock;
  let clients: ApiClients;
  /** The headers of GitHub's next answers, and how many it has sent. */
  let headers: Record<string, string>;
  let answers: number;
  let opened: OpenedStore;

  beforeEach(async () => {
    clock = new VirtualClock();
    headers = {};
    answers = 0;
    opened = await openMemoryStore();
    ({ store } = opened);
    await opened.setTime(clock.now());
    clients = createApiClients({
      store,
      clock,
      integrations: new Map([["github", github()]]),
      reveal: (credentials) => {
        if (JSON.stringify(credentials).includes("NOWHERE")) throw new Error("no such variable");
        return credentials;
      },
      fetch: (input) => {
        answers += 1;
        const url = input instanceof Request ? input.url : String(input);
        const body = url.endsWith("/user") ? { id: 9, login: "tandem-bot" } : ISSUE;
        return Promise.resolve(Response.json(body, { headers }));
      },
    });
  });

  const account = async (): Promise<AccountRecord> =>
    present((await store.directory.accounts())[0]);

  /** One request, whose answer says the headers; returns the account as it is saved after that. */
  async function ask(told: Record<string, string>): Promise<AccountRecord> {
    headers = told;
    await clients.account(await account()).identity();
    // The facts of an answer are saved beside the request that brought it.
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    return account();
  }

  const dateAhead = (millis: number) => ({
    date: new Date(addMillis(clock.now(), millis) / MILLISECOND).toUTCString(),
  });
  const limits = (limit: number, remaining: number, resetMillis: number) => ({
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": String(Math.floor(addMillis(clock.now(), resetMillis) / SECOND)),
  });

  it("ask for the account's identity once, and store it", async () => {
    const identity = { id: "9", login: "tandem-bot" };
    expect(await clients.identity(await account())).toEqual(identity);
    expect((await account()).identity).toEqual(identity);
    expect(await clients.identity(await account())).toEqual(identity);
    expect(answers).toBe(1);
  });

  it("are opened once, and again for other credentials", async () => {
    const before = await account();
    const client = clients.account(before);
    expect(clients.account(await account())).toBe(client);
    expect(clients.account({ ...before, credentials: { token: "another" } })).not.toBe(client);
    expect(clients.account({ ...before, id: "99" as AccountId })).not.toBe(client);
  });

  it("are none of an integration that is not configured", () => {
    expect(() => clients.attempt("gitlab", "acme", {})).toThrow(
      "account acme is of the integration gitlab, which is not configured",
    );
  });

  it("name an account's installation, if it has one and its secret is known here", async () => {
    const installed = { appId: 1, privateKey: "k", installationId: 77 };
    const of = async (credentials: unknown, integration = "github") =>
      clients.installation({ ...(await account()), credentials, integration });
    expect(await of(installed)).toBe("77");
    expect(await of({ token: "t" })).toBeNull();
    expect(await of(installed, "gitlab")).toBeNull();
    expect(await of({ env: "NOWHERE" })).toBeNull();
  });

  it("save how far the provider's clock is ahead, and that it is no longer", async () => {
    expect((await ask(dateAhead(10_000))).clockOffset).toBe(10 * SECOND);
    expect((await ask(dateAhead(11_000))).clockOffset).toBe(10 * SECOND);
    expect((await ask(dateAhead(12_000))).clockOffset).toBe(12 * SECOND);
    expect((await ask({})).clockOffset).toBe(12 * SECOND);
    expect((await ask(dateAhead(0))).clockOffset).toBe(0);
  });

  it("save that it is behind, and take less than two seconds for none", async () => {
    expect((await ask(dateAhead(-1_000))).clockOffset).toBe(0);
    expect((await ask(dateAhead(-2_000))).clockOffset).toBe(-2 * SECOND);
    // From two seconds to one and a half: that is noise, and noise is saved as none.
    expect((await ask(dateAhead(-1_000))).clockOffset).toBe(0);
  });

  it("save the offset to the database's clock, by which local edits are dated", async () => {
    await opened.setTime(addMillis(clock.now(), -60_000));
    expect((await ask(dateAhead(10_000))).clockOffset).toBe(70 * SECOND);
  });

  it("save the rate limit, with the time of its reset by the database's clock", async () => {
    const { budget } = await ask({ ...dateAhead(10_000), ...limits(5_000, 4_999, 3_600_000) });
    expect(budget).toEqual({
      limit: 5_000,
      remaining: 4_999,
      resetsAt: addMillis(clock.now(), 3_590_000),
    });
  });

  it("do not save a rate limit that has changed by less than one in a hundred", async () => {
    const left = async (remaining: number, limit = 5_000, resetMillis = 60_000) =>
      (await ask(limits(limit, remaining, resetMillis))).budget?.remaining;
    expect(await left(4_999)).toBe(4_999);
    expect(await left(4_950)).toBe(4_999);
    expect(await left(4_949)).toBe(4_949);
    // Answers may overtake each other: an earlier one has more left.
    expect(await left(4_990)).toBe(4_949);
    expect(await left(4_948, 15_000)).toBe(4_948);
    expect(await left(5_000, 15_000, 120_000)).toBe(5_000);
    expect(await left(4_000, 15_000, 60_000)).toBe(4_000);
  });

  it.each(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"])(
    "do not save a rate limit without %s",
    async (name) => {
      const told = Object.entries(limits(5_000, 1, 60_000)).filter(([key]) => key !== name);
      expect((await ask(Object.fromEntries(told))).budget).toBeNull();
    },
  );

  it("set a paused account to active when a request of it succeeds", async () => {
    const { id } = await account();
    const pausedUntil = addMillis(clock.now(), 60_000);
    await store.directory.updateAccount(id, { state: "paused", reason: "rate limit", pausedUntil });
    const contact = present((await store.directory.contacts())[0]);
    await clients.container(contact).read({ type: "issue", externalId: "7" });
    expect(await account()).toMatchObject({ state: "active", reason: null, pausedUntil: null });
  });

  it("leave the state of an active account as it is", async () => {
    const contact = present((await store.directory.contacts())[0]);
    await store.directory.updateAccount(contact.account.id, { state: "needs_attention" });
    await clients.container(contact).read({ type: "issue", externalId: "7" });
    expect((await account()).state).toBe("needs_attention");
  });
});
