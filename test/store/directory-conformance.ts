/** Accounts and connections, as any store keeps what the runtime notes of them. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Directory } from "../../src/store/store.ts";
import { parseInstant } from "../../src/model/instant.ts";
import { anId, type OpenedStore, present } from "./opened-store.ts";

const AT = parseInstant("2026-03-02T09:00:00.000001Z");
const LATER = parseInstant("2026-03-02T10:00:00Z");

const NEW_ACCOUNT = {
  state: "active",
  reason: null,
  pausedUntil: null,
  identity: null,
  clockOffset: 0,
  budget: null,
};

const NEW_CONNECTION = {
  inbound: true,
  outbound: true,
  pausedReason: null,
  highWater: {},
  etags: {},
  polledAt: null,
  polledWellAt: null,
  pollError: null,
  sweptAt: null,
  localSweptAt: null,
  untrackedRecords: null,
  accessAskedAt: null,
  pairing: [],
};

export function directoryConformance(open: () => Promise<OpenedStore>): void {
  let directory: Directory;
  beforeAll(async () => {
    ({ directory } = (await open()).store);
  });

  const saveAccount = (changes: { name?: string; credentials?: unknown } = {}) =>
    directory.saveAccount({
      integration: "github",
      name: changes.name ?? anId(),
      credentials: changes.credentials ?? { token: "secret" },
      webhookSecrets: ["hush", { env: "HUSH" }],
    });
  const readAccount = async (id: string) =>
    present((await directory.accounts()).find((account) => account.id === id));
  const readConnection = async (id: string) =>
    present((await directory.connections()).find((connection) => connection.id === id));
  const saveConnection = async (containerName: string) => {
    const accountId = await saveAccount();
    const given = { accountId, integration: "github", containerId: anId(), scope: "7" };
    const id = await directory.saveConnection({ ...given, containerName });
    return { ...given, containerName, id };
  };

  describe("an account", () => {
    it("is active when it is saved, and keeps its state when its secrets are saved again", async () => {
      const name = anId();
      const id = await saveAccount({ name });
      const given = { id, integration: "github", name, webhookSecrets: ["hush", { env: "HUSH" }] };
      expect(await readAccount(id)).toEqual({
        ...NEW_ACCOUNT,
        ...given,
        credentials: { token: "secret" },
      });

      await directory.updateAccount(id, { state: "needs_attention", reason: "token revoked" });
      expect(await saveAccount({ name, credentials: { token: "another" } })).toBe(id);
      expect(await readAccount(id)).toEqual({
        ...NEW_ACCOUNT,
        ...given,
        credentials: { token: "another" },
        state: "needs_attention",
        reason: "token revoked",
      });
    });

    it.each([
      ["its state", { state: "paused" }],
      ["why it is not active", { reason: "the rate limit is used up" }],
      ["the end of its pause", { pausedUntil: AT }],
      ["the user as whom it writes", { identity: { id: "9007199254740993", login: "mona" } }],
      ["a provider's clock that runs behind", { clockOffset: -90_000_001 }],
      ["its rate limit", { budget: { limit: 5000, remaining: 1, resetsAt: AT } }],
    ] as const)("keeps %s, and nothing else is changed by that", async (_what, changes) => {
      const id = await saveAccount();
      const other = await saveAccount();
      const before = await readAccount(id);
      const beside = await readAccount(other);
      await directory.updateAccount(id, changes);
      expect(await readAccount(id)).toEqual({ ...before, ...changes });
      expect(await readAccount(other)).toEqual(beside);
      await directory.updateAccount(id, {});
      expect(await readAccount(id)).toEqual({ ...before, ...changes });
    });

    it("is active again without a reason, an end of its pause or a rate limit", async () => {
      const id = await saveAccount();
      const before = await readAccount(id);
      const budget = { limit: 5000, remaining: 0, resetsAt: LATER };
      await directory.updateAccount(id, {
        state: "paused",
        reason: "rate limit",
        pausedUntil: LATER,
        budget,
      });
      await directory.updateAccount(id, {
        state: "active",
        reason: null,
        pausedUntil: null,
        budget: null,
      });
      expect(await readAccount(id)).toEqual(before);
    });
  });

  describe("a connection", () => {
    it("is on in both directions when it is saved, and keeps its switches when it is saved again", async () => {
      const { id, ...given } = await saveConnection("acme/site");
      expect(await readConnection(id)).toEqual({ ...NEW_CONNECTION, ...given, id });

      await directory.updateConnection(id, { outbound: false });
      const accountId = await saveAccount();
      const renamed = { ...given, accountId, containerName: "acme/web" };
      expect(await directory.saveConnection(renamed)).toBe(id);
      expect(await readConnection(id)).toEqual({
        ...NEW_CONNECTION,
        ...renamed,
        id,
        outbound: false,
      });
      const elsewhere = await directory.saveConnection({ ...renamed, scope: "8" });
      expect(elsewhere).not.toBe(id);
      expect(await readConnection(elsewhere)).toMatchObject({ scope: "8", outbound: true });
    });

    it.each([
      ["that inbound is switched off", { inbound: false }],
      ["that outbound is switched off", { outbound: false }],
      ["why it is paused", { pausedReason: "the repository is archived" }],
      ["the repository's new name", { containerName: "acme/renamed" }],
      ["how far polls have come", { highWater: { issue: AT, comment: LATER } }],
      ["the validators of conditional requests", { etags: { issue: 'W/"1"' } }],
      ["the last poll", { polledAt: AT }],
      ["the last poll that succeeded", { polledWellAt: AT }],
      ["why the last poll failed", { pollError: "502 from GitHub" }],
      ["the last sweep", { sweptAt: AT }],
      ["the last local sweep", { localSweptAt: AT }],
      ["the count of untracked records", { untrackedRecords: 12 }],
      ["the last question for access", { accessAskedAt: AT }],
    ])("keeps %s, and nothing else is changed by that", async (_what, changes) => {
      const { id } = await saveConnection("acme/site");
      const { id: other } = await saveConnection("acme/other");
      const before = await readConnection(id);
      const beside = await readConnection(other);
      await directory.updateConnection(id, changes);
      expect(await readConnection(id)).toEqual({ ...before, ...changes });
      expect(await readConnection(other)).toEqual(beside);
      await directory.updateConnection(id, {});
      expect(await readConnection(id)).toEqual({ ...before, ...changes });
    });

    it("forgets what no longer holds", async () => {
      const { id } = await saveConnection("acme/site");
      const before = await readConnection(id);
      await directory.updateConnection(id, {
        ...{ pausedReason: "archived", polledAt: AT, polledWellAt: AT, pollError: "502" },
        ...{ sweptAt: AT, localSweptAt: AT, untrackedRecords: 1, accessAskedAt: AT },
      });
      await directory.updateConnection(id, {
        ...{ pausedReason: null, polledAt: null, polledWellAt: null, pollError: null },
        ...{ sweptAt: null, localSweptAt: null, untrackedRecords: null, accessAskedAt: null },
      });
      expect(await readConnection(id)).toEqual(before);
    });

    it("cannot be one of an account that does not exist", async () => {
      const { id: _id, ...given } = await saveConnection("acme/site");
      const orphan = {
        ...given,
        containerId: anId(),
        accountId: "999999" as typeof given.accountId,
      };
      await expect(directory.saveConnection(orphan)).rejects.toMatchObject({ code: "23503" });
    });

    it("is listed with its account, whose id is another than its own", async () => {
      const { id, accountId } = await saveConnection("acme/site");
      const contact = (await directory.contacts()).find(({ connection }) => connection.id === id);
      expect(contact).toEqual({
        connection: await readConnection(id),
        account: await readAccount(accountId),
      });
      expect(await directory.connections()).toEqual(
        (await directory.contacts()).map(({ connection }) => connection),
      );
    });
  });
}
