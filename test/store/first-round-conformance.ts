/** Every store's duties for a transaction's first round trip, which carries its first look. */
import { beforeAll, describe, expect, it } from "vitest";
import { deliveryId } from "../../src/model/ids.ts";
import type { FirstLook } from "../../src/store/store.ts";
import { aConnection, anId, type OpenedStore } from "./opened-store.ts";

export function firstRoundConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;

  describe("the first look of a transaction", () => {
    beforeAll(async () => {
      opened = await open();
    });

    it("is what has been committed, and the work is given it", async () => {
      const { store } = opened;
      const connection = await aConnection(store, "looked at");
      const id = deliveryId(anId());
      const delivery = { id, integration: "github", deliveryKey: "looked at", event: "issues" };
      await store.deliveries.receive([{ ...delivery, payload: "{}", verifiedBy: null }]);
      const result = await store.transaction(
        async (tx, [contacts, keys]) => {
          expect(contacts.map((each) => each.connection.id)).toContain(connection);
          expect(keys).toEqual(new Set(["looked at"]));
          return Promise.resolve(tx.now > 0);
        },
        {
          waitAtMost: 100,
          pauseAtMost: 1_000,
          look: ({ directory, pendingDeliveries }: FirstLook) =>
            Promise.all([
              directory.contacts(),
              pendingDeliveries.received("github", ["looked at", "never came"]),
            ]),
        },
      );
      expect(result).toBe(true);
    });

    it("are connections each with its account, as each is told of by itself", async () => {
      const { store } = opened;
      const { directory } = store;
      const anAccount = {
        integration: "github",
        name: "another",
        credentials: {},
        webhookSecrets: [],
      };
      const another = await directory.saveAccount(anAccount);
      const there = { integration: "github", containerId: "theirs", containerName: "them/site" };
      const connections = [
        await aConnection(store, "one"),
        await directory.saveConnection({ ...there, accountId: another, scope: "2" }),
        await aConnection(store, "other"),
      ];
      const [accounts, all, contacts] = await Promise.all([
        directory.accounts(),
        directory.connections(),
        directory.contacts(),
      ]);
      expect(contacts.map(({ connection }) => connection)).toEqual(all);
      expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(connections));
      for (const { connection, account } of contacts) {
        expect(account).toEqual(accounts.find(({ id }) => id === connection.accountId));
      }
      const within = await store.transaction((tx) => tx.directory.contacts());
      expect(within).toEqual(contacts);
    });

    it("fails the transaction where it fails, before anything is done", async () => {
      const { store } = opened;
      let begun = false;
      const failing = store.transaction(
        () => {
          begun = true;
          return Promise.resolve();
        },
        { look: () => Promise.reject(new Error("nothing to be seen")) },
      );
      await expect(failing).rejects.toThrow("nothing to be seen");
      expect(begun).toBe(false);
      expect(await store.transaction((tx) => Promise.resolve(tx.now > 0))).toBe(true);
    });
  });
}
