/** A process remembers positions of the server's log, and so learns that committed work was lost. */
import { describe, expect, it } from "vitest";
import { SET_BACK } from "../../src/engine/limits/instance.ts";
import { type Instant, parseInstant } from "../../src/model/instant.ts";
import { type Closing, type Database, LostWorkError } from "../../src/store/database/database.ts";
import { createMemoryDatabase } from "../../src/store/memory/memory-database.ts";
import { memoryStore } from "../../src/store/memory/memory-store.ts";
import { LogWatch } from "../../src/store/postgres/directory/log-watch.ts";
import { pgDatabase } from "../../src/store/postgres/driver/pg-database.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { after, connectTo } from "./opened-store.ts";

const noon = parseInstant("2026-03-02T12:00:00Z");

/** The server's row about its log as a transaction begins. */
const saying = (timeline: number, at: number) => ({
  rows: [
    {
      log_file: `${timeline.toString(16).padStart(8, "0")}0000000000000001`,
      log_at: String(at),
      recovered_to: null,
      is_synchronous: false,
    },
  ],
  count: 1,
});

/** A transaction that begins: what goes with its commit. */
function begin(watch: LogWatch, now: Instant, found: ReturnType<typeof saying>): Closing | null {
  return watch.compare(found, { now, before: watch.remembered, doubts: watch.doubts });
}

function commit(watch: LogWatch, now: Instant, at: number): void {
  begin(watch, now, saying(1, at))?.told({ log_at: String(at) });
}

/** Begins a transaction that finds committed work lost. */
function lose(watch: LogWatch, now: Instant, at: number): LostWorkError {
  try {
    begin(watch, now, saying(1, at));
  } catch (error) {
    if (error instanceof LostWorkError) return error;
  }
  throw new Error("nothing is lost");
}

/** The database's own word on it; approved an hour before noon. */
async function givenInstance() {
  let now = after(noon, -3_600);
  const database = createMemoryDatabase({ tables: {}, now: () => now });
  const { instance } = memoryStore(database, { mappings: [] });
  await instance.adopt({ name: null, place: "here" });
  now = noon;
  const setBack = async () => (await instance.read()).stored?.setBack;
  return { instance, setBack };
}

describe("a process that finds work lost that it saw committed", () => {
  it("says so to all who work on the database, and from then on counts what is committed since", async () => {
    const watch = new LogWatch();
    const { instance, setBack } = await givenInstance();
    commit(watch, noon, 500);
    const found = lose(watch, after(noon, 10), 400);
    expect(found).toMatchObject({ lost: noon });
    const doubts = watch.doubts;

    await watch.tellLost(found, instance);

    expect(await setBack()).toBe(SET_BACK);
    // A process that asked between the finding and now asks again.
    expect(watch.doubts).toBeGreaterThan(doubts);
    expect(watch.remembered).toEqual({ committed: null, timeline: null, isSynchronous: false });
    expect(() => begin(watch, after(noon, 20), saying(1, 400))).not.toThrow();
    commit(watch, after(noon, 30), 450);
    expect(lose(watch, after(noon, 40), 440)).toMatchObject({ lost: after(noon, 30) });
  });

  it("still knows what it saw committed after the loss", async () => {
    const watch = new LogWatch();
    const { instance } = await givenInstance();
    commit(watch, noon, 500);
    const later = begin(watch, after(noon, 5), saying(1, 500));
    const found = lose(watch, after(noon, 10), 400);
    later?.told({ log_at: "600" });

    await watch.tellLost(found, instance);

    expect(watch.remembered).toMatchObject({ timeline: 1, committed: { at: 600n } });
    expect(lose(watch, after(noon, 20), 550)).toMatchObject({ lost: after(noon, 5) });
  });

  it("that was told already by another of its workers forgets nothing, and fails at nothing", async () => {
    const watch = new LogWatch();
    const { instance, setBack } = await givenInstance();
    commit(watch, noon, 500);
    const found = lose(watch, after(noon, 10), 400);
    await watch.tellLost(found, instance);
    const { remembered } = watch;

    await watch.tellLost(found, instance);

    expect(watch.remembered).toEqual(remembered);
    expect(await setBack()).toBe(SET_BACK);
  });

  it("says nothing where it only has to look whether something is lost", async () => {
    const watch = new LogWatch();
    const { instance, setBack } = await givenInstance();
    commit(watch, noon, 500);
    const { doubts, remembered } = watch;

    await watch.tellLost(new LostWorkError(null), instance);

    expect(await setBack()).toBeNull();
    expect(watch).toMatchObject({ doubts, remembered });
  });

  it("that cannot say so finds the same in its next transaction", async () => {
    const watch = new LogWatch();
    commit(watch, noon, 500);
    const found = lose(watch, after(noon, 10), 400);

    await watch.tellLost(found, { noteSetBack: () => Promise.reject(new Error("it is away")) });

    expect(lose(watch, after(noon, 20), 400)).toMatchObject({ lost: noon });
  });
});

describeOnEachEmptyDatabase("the log of a server", (open, kind) => {
  const opened = async () => connectTo(await open());

  it.runIf(kind === "pglite")("that is part of this process is not asked for", async () => {
    expect(await new LogWatch().columns(await opened())).toBe("");
  });

  describe.skipIf(kind === "pglite")("over a network", () => {
    const columnsOf = (database: Database) => new LogWatch().columns(database);

    it("is asked for with each transaction", async () => {
      const database = await opened();
      const columns = await columnsOf(database);
      const { rows } = await database.query(`select 1 as one ${columns}`);
      const log = { log_file: /^[0-9A-F]{24}$/, log_at: /^\d+$/ };
      for (const [column, pattern] of Object.entries(log)) {
        expect(rows[0]?.[column]).toMatch(pattern);
      }
      expect(rows[0]).toMatchObject({ recovered_to: null, is_synchronous: false });
    });

    it("is not asked for where the provider lets nobody ask", async () => {
      const app = await open();
      const url = new URL(app.url ?? "");
      const role = `guest_of_${url.pathname.slice(1)}`;
      await app.sql(`
        create role ${role} login password 'guest';
        revoke execute on function pg_current_wal_insert_lsn() from public`);
      Object.assign(url, { username: role, password: "guest" });
      const database = pgDatabase(url.href);
      expect(await columnsOf(database)).toBe("");
      await database.close();
      await app.sql(`drop role ${role}`);
    });

    it("is asked for once the server answers: one that is away says nothing of it", async () => {
      const database = await opened();
      const nowhere = pgDatabase("postgres://app@127.0.0.1:1/app");
      const closed = pgDatabase("postgres://app@127.0.0.1:1/app");
      await closed.close();
      const watch = new LogWatch();

      await expect(watch.columns(nowhere)).rejects.toMatchObject({ code: "ECONNREFUSED" });
      await expect(watch.columns(closed)).rejects.toThrow();
      expect(await watch.columns(database)).toContain("log_file");
      await nowhere.close();
    });
  });
});
