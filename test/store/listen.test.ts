/** Notifications of the database: heard by whoever listens, also after a connection was lost. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

describeOnEachEmptyDatabase("a database with news", (open, kind) => {
  it("calls whoever listens, until told to stop", async () => {
    const database = await connectTo(await open());
    let heard = 0;
    const stop = await database.listen("news", () => {
      heard += 1;
    });
    await database.query("select pg_notify('news', '')");
    await expect.poll(() => heard).toBe(1);
    await stop();
    await database.query("select pg_notify('news', '')");
    expect(heard).toBe(1);
  });

  describe.skipIf(kind === "pglite")("over a network", () => {
    it("leaves a server that takes connections and will not let it listen, as a standby does", async () => {
      const app = await open();
      const database = await connectTo(app);
      // There is no channel without a name.
      const stop = await database.listen("", () => undefined);
      const others = () =>
        app.sql(
          `select pid from pg_stat_activity
           where datname = current_database() and query like 'listen%'`,
        );
      await expect.poll(others).toEqual([]);
      await stop();
      await database.close();
    });

    it("tries to listen again once a second, not in one rush", async () => {
      let tries = 0;
      const refusing = createServer((socket) => {
        tries += 1;
        socket.destroy();
      }).listen(0, "127.0.0.1");
      await once(refusing, "listening");
      const { port } = refusing.address() as AddressInfo;
      const database = pgDatabase(`postgres://app@127.0.0.1:${String(port)}/app`);
      const begun = performance.now();
      const stop = await database.listen("news", () => undefined);
      await expect.poll(() => tries, { timeout: 20_000 }).toBeGreaterThan(1);
      await stop();
      expect(performance.now() - begun).toBeGreaterThan(900);
      await database.close();
      refusing.close();
    });

    it("listens again after its connection was lost", async () => {
      const database = await connectTo(await open());
      let heard = 0;
      const stop = await database.listen("news", () => {
        heard += 1;
      });
      await database.query(
        `select pg_terminate_backend(pid)
         from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      );
      await expect
        .poll(
          async () => {
            await database.query("select pg_notify('news', '')");
            return heard;
          },
          { timeout: 10_000 },
        )
        .toBeGreaterThan(1);
      await stop();
    });
  });
});
