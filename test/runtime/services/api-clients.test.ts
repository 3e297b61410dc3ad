/** The clients of accounts save facts of answers: clock, rate limit, identity, state. */
import { beforeEach, describe, expect, it } from "vitest";
import { github } from "../../../src/integrations/github/index.ts";
import type { ContainerClient } from "../../../src/integrations/integration.ts";
import type { AccountId } from "../../../src/model/ids.ts";
import { addMillis, MILLISECOND, SECOND } from "../../../src/model/instant.ts";
import { type ApiClients, createApiClients } from "../../../src/runtime/services/api-clients.ts";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import type { AccountRecord, Store } from "../../../src/store/store.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { connect, join } from "../../harness/projects.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";
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
  /** Whether GitHub never answers, and whether the database takes or gives nothing. */
  let isSilent: boolean;
  let isAway: boolean;
  let transactions: number;

  beforeEach(async () => {
    clock = new VirtualClock();
    headers = {};
    answers = 0;
    isSilent = false;
    isAway = false;
    transactions = 0;
    opened = await openMemoryStore();
    ({ store } = opened);
    await opened.setTime(clock.now());
    const { directory } = store;
    clients = createApiClients({
      store: {
        ...store,
        directory: {
          ...directory,
          updateAccount: (id, changes) =>
            isAway ? Promise.reject(new Error("away")) : directory.updateAccount(id, changes),
        },
        transaction: (work, beginning) => {
          transactions += 1;
          return isAway ? Promise.reject(new Error("away")) : store.transaction(work, beginning);
        },
      },
      clock,
      integrations: new Map([["github", github()]]),
      reveal: (credentials) => {
        if (JSON.stringify(credentials).includes("NOWHERE")) throw new Error("no such variable");
        return credentials;
      },
      fetch: (input, init) => {
        answers += 1;
        const signal = input instanceof Request ? input.signal : init?.signal;
        if (isSilent) {
          return new Promise((_resolve, reject) => {
            signal?.addEventListener("abort", () => {
              reject(signal.reason as Error);
            });
          });
        }
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

  it("save the offset again that the database did not take", async () => {
    isAway = true;
    expect((await ask(dateAhead(10_000))).clockOffset).toBe(0);
    isAway = false;
    expect((await ask(dateAhead(10_000))).clockOffset).toBe(10 * SECOND);
  });

  it("save the rate limit again that the database did not take", async () => {
    isAway = true;
    expect((await ask(limits(5_000, 4_999, 60_000))).budget).toBeNull();
    isAway = false;
    expect((await ask(limits(5_000, 4_999, 60_000))).budget).toMatchObject({ remaining: 4_999 });
  });

  it("compare their clock with the database's once a minute", async () => {
    await ask(dateAhead(10_000));
    expect(transactions).toBe(1);
    clock.advance(59_999);
    await ask(dateAhead(10_000));
    expect(transactions).toBe(1);
    clock.advance(1);
    await opened.setTime(addMillis(clock.now(), -60_000));
    expect((await ask(dateAhead(10_000))).clockOffset).toBe(70 * SECOND);
    expect(transactions).toBe(2);
  });

  it("give a request up by their own clock", async () => {
    isSilent = true;
    const asked = clients.account(await account()).identity();
    const refused = expect(asked).rejects.toMatchObject({ kind: "retryable" });
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    expect(clock.nextTimer()).not.toBeNull();
    clock.advance(600_000);
    await refused;
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

describeOnOneDatabase("the clients of containers", (open) => {
  const ONE = { type: "issue", externalId: "1" };
  const ACTS: Readonly<Record<string, (client: ContainerClient) => Promise<unknown>>> = {
    read: (client) => client.read(ONE),
    readIfChanged: (client) => client.readIfChanged(ONE, null),
    list: (client) => all(client.list({ type: "issue", since: null, etag: null })),
    children: (client) => client.children(ONE, "issue_comment"),
    patch: (client) => client.patch(ONE, { title: "Mended" }, {}, null),
    create: (client) =>
      client.create({ type: "issue", values: { title: "Two" }, parent: null, token: null }),
    close: (client) => client.close(ONE, null),
  };

  function given<T>(contact: T | null): T {
    if (contact === null) throw new Error("the repository is not connected");
    return contact;
  }

  async function all<T>(pages: AsyncIterable<T>): Promise<void> {
    for await (const page of pages) expect(page).toBeDefined();
  }

  it("set a paused account to active when any request of it succeeds, and none when it fails", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    app.github.as("mona").comment(app.repo, 1, "Here");
    const { store, gateway } = app.tandem.services;
    const contact = async () =>
      given((await DirectorySnapshot.open(app.tandem.services)).contact(app.connection.id));
    const { id } = (await contact()).account;
    const pausedUntil = addMillis(app.clock.now(), 60_000);
    const paused = { state: "paused", reason: "rate limit", pausedUntil } as const;
    const comment = present(
      (
        await gateway
          .container(await contact())
          .children({ type: "issue", externalId: "1" }, "issue_comment")
      )[0],
    );
    for (const [name, act] of Object.entries({
      ...ACTS,
      delete: (client: ContainerClient) => client.delete(comment),
    })) {
      await store.directory.updateAccount(id, paused);
      await act(gateway.container(await contact()));
      const { state, reason, pausedUntil } = (await contact()).account;
      expect([name, state, reason, pausedUntil]).toEqual([name, "active", null, null]);
    }

    await store.directory.updateAccount(id, paused);
    app.github.failNext({ method: "GET", path: /issues/, with: 503 });
    await expect(gateway.container(await contact()).read(ONE)).rejects.toThrow();
    expect((await contact()).account).toMatchObject(paused);
  });

  it("save a repository's new name for its account's connections to it, and for no others", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("insert into projects (name) values ('App'), ('Too')");
    await connect(app, "acme/app", "2");
    await join(app, app.repo, "3");
    app.github.faults.webhooks.drop = 1;
    app.github.renameRepository(app.repo, "homepage");
    app.github.as("mona").openIssue("acme/homepage", { title: "After" });
    await app.tandem.syncNow();
    const names = async () => (await app.status()).connections.map(({ container }) => container);
    await expect.poll(names).toEqual(["acme/homepage", "acme/app", "acme/homepage"]);
  });
});
