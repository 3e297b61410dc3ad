/** Every store's duties for logins of the dashboard, and for acts of people. */
import { beforeAll, describe, expect, it } from "vitest";
import { parseInstant } from "../../src/model/instant.ts";
import type { Act } from "../../src/store/audit.ts";
import { after, type OpenedStore } from "./opened-store.ts";

const noon = parseInstant("2026-03-02T12:00:00Z");
const DAY = 24 * 3_600;

const pause: Act = {
  actor: "API token",
  act: "connection.pause",
  subject: "7",
  origin: "192.0.2.7",
  status: 200,
};

export function accessConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;
  beforeAll(async () => {
    opened = await open();
  });

  describe("sessions", () => {
    const logIn = (id: string) =>
      opened.store.sessions.open({ id, tokenDigest: "token", origin: "192.0.2.7" });
    const ids = async () => (await opened.store.sessions.list()).map(({ id }) => id);

    it("live by use for at most 30 days, and 7 days without", async () => {
      const { store } = opened;
      const { sessions } = store;
      await opened.setTime(noon);
      await logIn("used");
      await logIn("idle");
      expect(await sessions.list()).toEqual([
        { id: "idle", origin: "192.0.2.7", createdAt: noon, usedAt: noon },
        { id: "used", origin: "192.0.2.7", createdAt: noon, usedAt: noon },
      ]);
      for (const days of [6, 12, 18, 24, 29]) {
        await opened.setTime(after(noon, days * DAY));
        expect(await sessions.use("used", "token")).toBe(true);
      }
      expect(await ids()).toEqual(["used"]);
      expect(await sessions.use("idle", "token")).toBe(false);
      await opened.setTime(after(noon, 30 * DAY));
      expect(await sessions.use("used", "token")).toBe(false);
      expect(await ids()).toEqual([]);
    });

    it("write the time of their use at most once a minute", async () => {
      const { store } = opened;
      await opened.setTime(noon);
      await logIn("busy");
      const usedAfter = async (seconds: number) => {
        await opened.setTime(after(noon, seconds));
        await store.sessions.use("busy", "token");
        return (await store.sessions.list())[0]?.usedAt;
      };
      expect(await usedAfter(59)).toBe(noon);
      expect(await usedAfter(60)).toBe(after(noon, 60));
      await store.sessions.endAll();
    });

    it("end by another token, one by one, or all", async () => {
      const { sessions } = opened.store;
      await opened.setTime(noon);
      for (const id of ["a", "b", "c", "d"]) await logIn(id);
      expect(await sessions.use("a", "another token")).toBe(false);
      expect(await sessions.use("a", "token")).toBe(false);
      expect(await sessions.end("b")).toBe(true);
      expect(await sessions.end("b")).toBe(false);
      expect(await ids()).toEqual(["c", "d"]);
      await sessions.endAll();
      expect(await ids()).toEqual([]);
    });

    it("are removed by a later login once they have expired", async () => {
      const { sessions } = opened.store;
      await opened.setTime(noon);
      await logIn("forgotten");
      await opened.setTime(after(noon, 8 * DAY));
      await logIn("new");
      await opened.setTime(noon);
      expect(await ids()).toEqual(["new"]);
      await sessions.endAll();
    });
  });

  describe("acts", () => {
    it("are listed newest first, by page and by kind", async () => {
      const { audit } = opened.store;
      await opened.setTime(noon);
      for (const subject of ["1", "2", "3"]) await audit.append({ ...pause, subject });
      await audit.append({ ...pause, act: "sync" });
      const [newest, ...rest] = await audit.entries({ limit: 3 });
      expect(newest).toMatchObject({ ...pause, act: "sync", at: noon });
      expect(rest.map(({ subject }) => subject)).toEqual(["3", "2"]);
      const before = rest[1]?.id ?? "";
      expect(await audit.entries({ limit: 3, before })).toMatchObject([{ subject: "1" }]);
      const pauses = await audit.entries({ limit: 3, act: "connection.pause" });
      expect(pauses.map(({ subject }) => subject)).toEqual(["3", "2", "1"]);
    });

    it("join the transaction of what they tell of", async () => {
      const { store } = opened;
      const failing = store.transaction(async (tx) => {
        await tx.sessions.open({ id: "undone", tokenDigest: "token", origin: "" });
        await tx.audit.append({ ...pause, act: "undone" });
        throw new Error("it fails");
      });
      await expect(failing).rejects.toThrow("it fails");
      expect(await store.audit.entries({ limit: 3, act: "undone" })).toEqual([]);
      expect(await store.sessions.list()).toEqual([]);
    });

    it("are kept for a year, and removed by later ones, at most 100 at a time", async () => {
      const { audit } = opened.store;
      const kept = async () => (await audit.entries({ limit: 500 })).length;
      await opened.setTime(noon);
      const before = await kept();
      for (let count = before; count < 120; count += 1) await audit.append(pause);
      await opened.setTime(after(noon, 365 * DAY));
      await audit.append(pause);
      expect(await kept()).toBe(121);
      await opened.setTime(after(noon, 365 * DAY + 1));
      await audit.append(pause);
      expect(await kept()).toBe(22);
      await audit.append(pause);
      await audit.append(pause);
      expect(await kept()).toBe(4);
    });
  });
}
