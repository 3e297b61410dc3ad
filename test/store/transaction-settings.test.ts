/** How long a transaction waits for locks of others. */
import { describe, expect, it } from "vitest";
import { parseInstant } from "../../src/model/instant.ts";
import { ReadOnlyDatabaseError } from "../../src/store/database/database.ts";
import {
  allowPauses,
  opening,
  timeOf,
  waitingAtMost,
} from "../../src/store/postgres/driver/transaction-settings.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

describe("the opening of a transaction", () => {
  const settings = (...asked: Parameters<typeof opening>) =>
    [...opening(...asked).matchAll(/set_config\('(\w+)', '(\w+)', true\)/g)].map(
      ([, name, value]) => [name, value],
    );

  it("limits waits and pauses, on PGlite the waits only", () => {
    expect(settings("postgres")).toEqual([
      ["lock_timeout", "5000"],
      ["idle_in_transaction_session_timeout", "10000"],
      ["datestyle", "ISO"],
    ]);
    expect(settings("pglite")).toEqual([
      ["lock_timeout", "5000"],
      ["idle_in_transaction_session_timeout", "0"],
      ["datestyle", "ISO"],
    ]);
  });

  it("limits its statements as well where it may pause for a given time", () => {
    const asked = { waitAtMost: 20, pauseAtMost: 700 };
    expect(settings("postgres", asked)).toEqual([
      ["lock_timeout", "20"],
      ["idle_in_transaction_session_timeout", "700"],
      ["statement_timeout", "700"],
      ["datestyle", "ISO"],
    ]);
    expect(settings("pglite", asked)).toEqual([
      ["lock_timeout", "20"],
      ["idle_in_transaction_session_timeout", "0"],
      ["datestyle", "ISO"],
    ]);
  });

  it("asks the time, and what else is wanted", () => {
    expect(opening("postgres", {}, ", 1 as more")).toMatch(/as now\s+, 1 as more$/);
  });

  it("gives the transaction its time, unless the database takes no writes", () => {
    const now = "2026-03-02T09:00:00.123456+00:00";
    const opened = (...rows: Record<string, unknown>[]) => ({ rows, count: rows.length });
    expect(timeOf(opened({ read_only: "off", now }))).toBe(parseInstant(now));
    expect(() => timeOf(opened({ read_only: "on", now }))).toThrow(ReadOnlyDatabaseError);
    expect(() => timeOf(opened())).toThrow("the database told no time");
  });
});

describeOnEachEmptyDatabase("a transaction", (open, kind) => {
  it("may be allowed longer pauses, if its database has timers", async () => {
    const database = await connectTo(await open());
    await database.transaction(async (tx) => {
      const limits = async () =>
        (
          await tx.query(
            `select current_setting('idle_in_transaction_session_timeout') as pause,
               current_setting('statement_timeout') as statement`,
          )
        ).rows[0];
      const before = await limits();
      await allowPauses(tx, kind, 90_000);
      expect(await limits()).toEqual(
        kind === "postgres" ? { pause: "90s", statement: "90s" } : before,
      );
    });
  });

  it("waits briefly for locks during one step of it, and afterwards as long as before", async () => {
    const database = await connectTo(await open());
    await database.transaction(async (tx) => {
      const patience = async () =>
        (await tx.query("select current_setting('lock_timeout') as patience")).rows[0];
      await tx.query("select set_config('lock_timeout', '7s', true)");

      expect(await waitingAtMost(tx, 20, patience)).toEqual({ patience: "20ms" });
      expect(await patience()).toEqual({ patience: "7s" });
    });
  });
});
