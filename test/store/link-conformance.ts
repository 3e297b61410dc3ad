/** Every store's duties for placeholders, and for users who take their place. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Actor } from "../../src/model/content.ts";
import type { IdentitySettings, Link } from "../../src/store/store.ts";
import {
  after,
  anId,
  type OpenedStore,
  present,
  type StoreOptions,
  tasks,
} from "./opened-store.ts";

export const identities: IdentitySettings = {
  table: "users",
  key: "id",
  login: { github: "github_login" },
  unknown: "placeholder",
  placeholder: (actor) => ({ name: actor.login }),
};

export const octocat: Actor = { id: "5", login: "Octocat" };

export function linksConformance(open: (options?: StoreOptions) => Promise<OpenedStore>): void {
  describe("placeholders that are connected to users", () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open({ identities });
    });

    const resolve = (actor: Actor, origin = anId()) =>
      opened.store.transaction((tx) =>
        tx.records.resolveActors("github", [{ column: "owner_id", table: "users", actor }], origin),
      );
    const find = (...ids: readonly string[]) =>
      opened.store.transaction((tx) => tx.links.find(ids));
    const addFound = async (...ids: readonly string[]) => {
      await opened.store.transaction(async (tx) => tx.links.add(await tx.links.find(ids)));
    };
    const claim = (seconds = 60) =>
      opened.store.transaction((tx) => tx.links.claim(after(tx.now, seconds)));
    const connect = (link: Link) =>
      opened.store.transaction((tx) => tx.links.connect(link, anId()));
    const drained = async () =>
      (await opened.store.transaction((tx) => tx.changes.take(100))).filter(
        ({ recordType }) => recordType === "users",
      );
    const logins = async () => (await opened.rows.all("users")).map((row) => row.github_login);
    const user = async (login: string | null, name = "Octo") =>
      present((await opened.rows.insert("users", { name, github_login: login }))[0]);

    it("are seen to be: whoever gives a user a login is captured, other columns are not", async () => {
      const id = await user(null);
      await opened.rows.update("users", id, { name: "Other" });
      await opened.rows.update("users", id, { github_login: "octocat" });
      expect(await drained()).toMatchObject([
        { recordId: id, operation: "insert", origin: null },
        { recordId: id, operation: "update", columns: ["github_login"], origin: null },
      ]);
    });

    it("are found from either side, and only where one user has the login", async () => {
      expect(await resolve(octocat)).toEqual({ owner_id: "1" });
      expect(await find("1")).toEqual([]);
      const id = await user("octocat");
      const link = { integration: "github", login: "octocat", placeholderId: "1", userId: id };
      expect(await find(id)).toEqual([link]);
      expect(await find("1")).toEqual([link]);
      expect(await find("99")).toEqual([]);
      const other = await user("OCTOCAT");
      expect(await find(id)).toEqual([]);
      await opened.rows.update("users", other, { github_login: null });
      // It has given its login up already, as a unique column makes it.
      await opened.rows.update("users", "1", { github_login: null });
      expect(await find(id)).toEqual([link]);
      // The app has made it its own.
      await opened.rows.update("users", "1", { name: "A person" });
      expect(await find(id)).toEqual([]);
    });

    it("give way to the user at once, and say that there is a link to be made", async () => {
      await resolve(octocat);
      const id = await user("octocat");
      await drained();
      const origin = anId();
      expect(await resolve(octocat, origin)).toEqual({ owner_id: id });
      expect(await drained()).toMatchObject([
        { recordId: id, operation: "update", columns: ["github_login"], origin },
      ]);
      const isDue = async () => (await opened.store.ledger.dueNow()).links;
      expect(await isDue()).toBe(false);
      await addFound(id);
      expect(await isDue()).toBe(true);
      await connect(present((await claim()) ?? undefined));
      expect(await isDue()).toBe(false);
      await drained();
      expect(await resolve(octocat)).toEqual({ owner_id: id });
      expect(await drained()).toEqual([]);
    });

    it("are claimed by one worker at a time, and again when that one is late", async () => {
      await resolve(octocat);
      const id = await user("octocat");
      await addFound(id);
      await addFound(id);
      const link = await claim();
      expect(link).toMatchObject({
        placeholderId: "1",
        userId: id,
        login: "octocat",
        connected: false,
        attempts: 1,
      });
      expect(await claim()).toBeNull();
      await opened.store.transaction((tx) => tx.links.again(present(link ?? undefined).id, tx.now));
      expect(await claim()).toMatchObject({ attempts: 2 });
      await opened.store.transaction((tx) => tx.links.done(present(link ?? undefined).id));
      await addFound(id);
      expect(await claim()).toMatchObject({ attempts: 1 });
    });

    it("give their login up, are kept, and take no more of their author's", async () => {
      await resolve(octocat);
      const id = await user("octocat");
      await addFound(id);
      const link = present((await claim(0)) ?? undefined);
      expect(await connect(link)).toBe("connected");
      expect(await logins()).toEqual([null, "octocat"]);
      expect(await claim()).toMatchObject({ id: link.id, connected: true });
      expect(await resolve(octocat)).toEqual({ owner_id: id });
      // The user gives up the login; the actor is unknown from then on, and gets a new placeholder.
      await opened.rows.update("users", id, { github_login: null });
      expect(await resolve(octocat)).toEqual({ owner_id: "3" });
    });

    it("are left alone where the link is none any more", async () => {
      await resolve(octocat);
      const id = await user("octocat");
      await addFound(id);
      const link = present((await claim()) ?? undefined);
      await opened.rows.update("users", id, { github_login: "hubot" });
      expect(await connect(link)).toBe("outlived");
      expect(await logins()).toEqual(["Octocat", "hubot"]);
      expect(await resolve(octocat)).toEqual({ owner_id: "1" });
    });

    it("are come back to where the app holds their row", async () => {
      const { whileEditing } = opened.rows;
      if (whileEditing === null) return;
      await resolve(octocat);
      const id = await user("octocat");
      await addFound(id);
      const link = present((await claim()) ?? undefined);
      await whileEditing("users", "1", { name: "Octocat" }, async () => {
        expect(await connect(link)).toBe("busy");
      });
      expect(await connect(link)).toBe("connected");
    });

    it("keep a login that their table wants", async () => {
      opened = await open({
        identities: { ...identities, table: "members" },
        tables: {
          sql: `create table members (
            id bigint generated always as identity primary key,
            name text not null,
            github_login text not null
          );`,
          memory: { members: { columns: { name: undefined, github_login: undefined } } },
        },
      });
      const meet = () =>
        opened.store.transaction((tx) =>
          tx.records.resolveActors(
            "github",
            [{ column: "owner_id", table: "members", actor: octocat }],
            anId(),
          ),
        );
      await meet();
      const [id] = await opened.rows.insert("members", { name: "Octo", github_login: "octocat" });
      await addFound(present(id));
      expect(await connect(present((await claim()) ?? undefined))).toBe("connected");
      expect((await opened.rows.all("members")).map((row) => row.github_login)).toEqual([
        "Octocat",
        "octocat",
      ]);
      expect(await meet()).toEqual({ owner_id: id });
    });
  });

  it("a user is read by their key, from the table that the identities name", async () => {
    const opened = await open({ identities });
    const [id = ""] = await opened.rows.insert("users", { name: "Ada", github_login: "ada" });
    const user = (store: OpenedStore["store"], key: string) =>
      store.transaction((tx) => tx.records.user(key));
    expect(await user(opened.store, id)).toMatchObject({ name: "Ada", github_login: "ada" });
    expect(await user(opened.store, "99")).toBeNull();
    expect(await user((await open()).store, id)).toBeNull();
  });

  describe("records that name another", () => {
    it("are found a few at a time, in the order of their keys", async () => {
      const opened = await open({ identities });
      await opened.rows.insert("users", { name: "A" }, { name: "B" });
      await opened.rows.insert(
        "tasks",
        ...["1", "2", "1", "1"].map((owner) => ({ title: `of ${owner}`, owner_id: owner })),
      );
      const found = (after: string | null) =>
        opened.store.transaction((tx) => tx.records.referring(tasks, "owner_id", "1", after, 2));
      expect(await found(null)).toEqual(["1", "3"]);
      // A row that was seen need not refer to it any more.
      await opened.rows.update("tasks", "3", { owner_id: "2" });
      expect(await found("3")).toEqual(["4"]);
      expect(await found("4")).toEqual([]);
    });
  });
}
