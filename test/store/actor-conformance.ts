/** Every store's duties for actors: find an actor's row, or follow the settings. */
import { describe, expect, it } from "vitest";
import type { Actor } from "../../src/model/content.ts";
import type { IdentitySettings } from "../../src/store/store.ts";
import { anId, type OpenedStore, type StoreOptions } from "./opened-store.ts";

const identities: IdentitySettings = {
  table: "users",
  key: "id",
  login: { github: "github_login" },
  unknown: "placeholder",
  placeholder: (actor) => ({ name: actor.login }),
};

const ada: Actor = { id: "1", login: "Ada" };
const bob: Actor = { id: "2", login: "bob" };

const reference = (actor: Actor | null, column = "owner_id") => ({
  column,
  table: "users",
  actor,
});

export function actorsConformance(open: (options?: StoreOptions) => Promise<OpenedStore>): void {
  describe("actors", () => {
    const resolve = ({ store }: OpenedStore, ...references: ReturnType<typeof reference>[]) =>
      store.transaction((tx) => tx.records.resolveActors("github", references, anId()));

    it("are found by login, whatever its case; nobody stays nobody", async () => {
      const opened = await open({ identities });
      await opened.rows.insert("users", { name: "Ada", github_login: "aDA" });
      expect(
        await resolve(opened, reference(ada), reference(null, "closed_by"), reference(ada, "by")),
      ).toEqual({ owner_id: "1", closed_by: null, by: "1" });
      expect(await resolve(opened)).toEqual({});
    });

    it("that are unknown get one placeholder, however many meet them at once", async () => {
      const opened = await open({ identities });
      const both = [reference(ada), reference(bob, "by")];
      const patches = await Promise.all([
        resolve(opened, ...both),
        resolve(opened, ...[...both].reverse()),
        resolve(opened, ...both),
      ]);
      expect(patches[1]).toEqual(patches[0]);
      expect(patches[2]).toEqual(patches[0]);
      expect(await opened.rows.all("users")).toMatchObject([
        { name: "Ada", github_login: "Ada" },
        { name: "bob", github_login: "bob" },
      ]);
    });

    it("that are unknown are null, or an error, where that is asked for", async () => {
      const asNull = await open({ identities: { ...identities, unknown: "null" } });
      expect(await resolve(asNull, reference(bob))).toEqual({ owner_id: null });
      const asError = await open({ identities: { ...identities, unknown: "error" } });
      await expect(resolve(asError, reference(bob))).rejects.toMatchObject({
        code: "unknown_actor",
        message: "no row of users has the login bob",
        hint: "Give a row of users the login, then restart the event.",
        table: "users",
        column: "github_login",
      });
    });

    it("that are known are found, whatever happens to those that are not", async () => {
      for (const unknown of ["null", "error", "placeholder"] as const) {
        const opened = await open({ identities: { ...identities, unknown } });
        await opened.rows.insert("users", { name: "Ada", github_login: "ada" });
        expect(await resolve(opened, reference(ada))).toEqual({ owner_id: "1" });
        expect(await opened.rows.all("users")).toHaveLength(1);
      }
      const mixed = await open({ identities: { ...identities, unknown: "null" } });
      await mixed.rows.insert("users", { name: "Ada", github_login: "ada" });
      expect(await resolve(mixed, reference(bob, "by"), reference(ada))).toEqual({
        by: null,
        owner_id: "1",
      });
    });

    it("that are unknown are all named in the error", async () => {
      const opened = await open({ identities: { ...identities, unknown: "error" } });
      await expect(resolve(opened, reference(bob), reference(ada, "by"))).rejects.toMatchObject({
        message: "no row of users has the login bob, Ada",
      });
    });

    it("that two rows stand for are refused, and both are named", async () => {
      const opened = await open({ identities });
      await opened.rows.insert(
        "users",
        { name: "Ada", github_login: "ada" },
        { name: "Ada again", github_login: "ADA" },
      );
      await expect(resolve(opened, reference(ada))).rejects.toMatchObject({
        code: "ambiguous_actor",
        message: "users 1 and users 2 both have the login ada",
        hint: "Leave github_login to one of them, then restart the event.",
        table: "users",
        column: "github_login",
      });
      await opened.rows.insert("users", { name: "Ada once more", github_login: "AdA" });
      await expect(resolve(opened, reference(ada))).rejects.toMatchObject({
        message: "users 1, users 2 and users 3 all have the login ada",
      });
    });

    it("are refused where nothing says who they are", async () => {
      const opened = await open();
      await expect(resolve(opened, reference(ada))).rejects.toMatchObject({
        code: "identities_missing",
        message: "nothing says which row stands for a user of github",
        hint: "Set identities.login.github in the configuration.",
      });
    });

    it("are refused where a column refers to another table than theirs", async () => {
      const opened = await open({ identities });
      const elsewhere = { column: "team_id", table: "teams", actor: ada };
      await expect(resolve(opened, reference(ada), elsewhere)).rejects.toMatchObject({
        code: "identities_missing",
        message: "team_id refers to teams, but identities are in users",
        hint: "Refer to the table of the identities.",
        column: "team_id",
      });
    });
  });
}
