/**
 * Row 15: one user's edit behind a bulk update of a million rows is drained by the next batch, at the same cost as
 * behind a few thousand. The row counts blocks of the database, so the machine's load does not matter.
 */
import { drainChanges } from "../../src/runtime/outbound/drain.ts";
import { createTandem } from "../../src/server/tandem.ts";
import { makeTable, MAPPED } from "../capture/watched-table.ts";
import { syncedTasks } from "../contenders/synced-tasks.ts";
import type { Entry, Row, Setting } from "../harness/bench.ts";
import { type OwnDatabase, withOwnDatabase } from "../harness/own-database.ts";
import { median } from "../harness/rounds.ts";

const FEW = 4_000;
const EDITS = 5;

export const BULK: readonly Row[] = [
  {
    ...{ id: 15, name: "a batch with one user's edit behind an update of 1,000,000 rows, blocks" },
    of: { entry: behindBulk(), figure: "blocksLarge" },
    to: { entry: behindBulk(), figure: "blocksSmall" },
    against: "the same behind an update of 4,000 rows",
    goal: 1.5,
    goalIs: "most",
  },
];

function behindBulk(): Entry {
  const name = "edit behind a bulk update";
  const large = ({ quick, warmUp }: Setting) => (quick || warmUp ? 50_000 : 1_000_000);
  return {
    name,
    async run(setting) {
      const small = await measure(setting, FEW);
      const rows = large(setting);
      const { blocks, millis, missed } = await measure(setting, rows);
      const figures = {
        ...{ blocksSmall: small.blocks, blocksLarge: blocks },
        ...{ millisSmall: small.millis, millisLarge: millis },
      };
      const late = small.missed + missed;
      const said = `${name}: ${String(late)} of ${String(2 * EDITS)} were not in the next batch`;
      return { figures, faults: late === 0 ? [] : [said] };
    },
  };
}

/** The median blocks and milliseconds of a batch, and the number of edits that the next batch left out. */
async function measure({ adminUrl }: Setting, rows: number) {
  return withOwnDatabase(adminUrl, "bench_bulk", async (database) => {
    await makeTable(database, "capture", rows);
    await database.pool.query(`update tasks set ${MAPPED}`);
    await database.pool.query("analyze");
    // With its one connection, all reads are counted before the next query.
    const tandem = await createTandem(syncedTasks(database.pool));
    try {
      await drainChanges(tandem.services);
      const blocks: number[] = [];
      const millis: number[] = [];
      let missed = 0;
      for (let edit = 0; edit < EDITS; edit += 1) {
        // The bulk update has changed these rows as well, as its last ones.
        const id = rows - edit;
        await database.pool.query("update tasks set title = 'Edited' where id = $1", [id]);
        const before = await blocksRead(database);
        const began = performance.now();
        await drainChanges(tandem.services);
        millis.push(performance.now() - began);
        blocks.push((await blocksRead(database)) - before);
        const { rowCount } = await database.pool.query(
          "select from tandem.lanes where record_id = $1",
          [String(id)],
        );
        if (rowCount !== 1) missed += 1;
      }
      return { blocks: medianOf(blocks), millis: medianOf(millis), missed };
    } finally {
      await tandem.stop();
    }
  });
}

/** Blocks of tables and indexes that the database's one connection has read, from memory or disk. */
async function blocksRead({ pool }: OwnDatabase): Promise<number> {
  await pool.query("select pg_stat_force_next_flush()");
  const { rows } = await pool.query<{ blocks: string }>(
    `select sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit) as blocks
     from pg_statio_user_tables`,
  );
  return Number(rows[0]?.blocks ?? NaN);
}

function medianOf(values: readonly number[]): number {
  return median([...values].sort((a, b) => a - b));
}
