/** Notifications of the database: heard by whoever listens, also after a connection was lost. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

/** The answer of a Postgres that lets a client in: `AuthenticationOk`, and `ReadyForQuery`. */
const LET_IN = Buffer.from([...[0x52, 0, 0, 0, 8, 0, 0, 0, 0], ...[0x5a, 0, 0, 0, 5, 0x49]]);

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

  it("passes on what was said, also if that is nothing", async () => {
    const database = await connectTo(await open());
    const heard: string[] = [];
    const stop = await database.listen("news", (said) => void heard.push(said));
    for (const said of ["events", "", "deliveries"]) {
      await database.query("select pg_notify('news', $1)", [said]);
    }
    await database.query("select pg_notify('other_news', 'not for us')");
    await database.query("select pg_notify('news', 'last')");
    await expect.poll(() => heard).toEqual(["events", "", "deliveries", "last"]);
    await stop();
  });

  describe.skipIf(kind === "pglite")("over a network", () => {
    /** A server that counts those who connect, and treats them as it is told. */
    async function counting(meet: (socket: Socket) => void) {
      const sockets = new Set<Socket>();
      let tries = 0;
      const server = createServer((socket) => {
        tries += 1;
        sockets.add(socket);
        socket.on("error", () => undefined);
        meet(socket);
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      return {
        url: `postgres://app@127.0.0.1:${String(port)}/app`,
        tries: () => tries,
        close() {
          for (const socket of sockets) socket.destroy();
          server.close();
        },
      };
    }

    it("is not tried again once whoever listened is told to stop", async () => {
      const [left, other] = [
        await counting((socket) => socket.destroy()),
        await counting((socket) => socket.destroy()),
      ];
      const [first, second] = [pgDatabase(left.url), pgDatabase(other.url)];
      let heard = 0;
      const stop = await first.listen("news", () => {
        heard += 1;
      });
      await stop();
      const stopOther = await second.listen("news", () => undefined);
      // By then the first one would have tried again as well.
      await expect.poll(other.tries, { timeout: 20_000 }).toBeGreaterThan(1);
      await stopOther();
      expect(left.tries()).toBe(1);
      expect(heard).toBe(0);
      await Promise.all([first.close(), second.close()]);
      left.close();
      other.close();
    });

    it.each([
      ["as long as a connection", { connectMillis: 100, answerMillis: 600_000 }],
      ["as long as an answer", { connectMillis: 600_000, answerMillis: 100 }],
    ])(
      "is left if it takes a connection and says no more: %s is waited for",
      async (_, patience) => {
        const silent = await counting((socket) => {
          // It lets the client in, and is ready for a query. It answers none.
          socket.once("data", () => socket.write(LET_IN));
        });
        const database = pgDatabase(silent.url, patience);
        const stop = await database.listen("news", () => undefined);
        await expect.poll(silent.tries, { timeout: 20_000 }).toBeGreaterThan(1);
        await stop();
        await database.close();
        silent.close();
      },
    );

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
