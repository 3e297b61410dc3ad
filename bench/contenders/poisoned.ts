/** Tandem where the app's table refuses every edit of one issue: it errs, and what else comes must not wait. */
import type pg from "pg";
import { type Edit, isPoisoned } from "../harness/work.ts";
import { type Audit, type Contender, REFUSES_POISON } from "./contender.ts";
import { product } from "./product.ts";

export const productPoisoned: Contender = {
  async setUp(pool) {
    await product.setUp(pool);
    await pool.query(REFUSES_POISON);
  },
  open: product.open,
  async left(pool) {
    // What has failed for good stays, for somebody to look at.
    const { rows } = await pool.query<{ left: boolean }>(
      `select
         exists (select from tandem.deliveries where state in ('received', 'failed'))
         or exists (select from tandem.events_live where state <> 'errored')
         or exists (select from tandem.changes) as left`,
    );
    return rows[0]?.left === true ? 1 : 0;
  },
  audit,
};

/** What it says of the others, and that the poisoned edits have failed. */
async function audit(pool: pg.Pool, work: readonly Edit[]): Promise<Audit> {
  const poisoned = work.find(isPoisoned)?.issue;
  const others = await product.audit(
    pool,
    work.filter(({ issue }) => issue !== poisoned),
  );
  const { rows } = await pool.query<{ ended: string; errored: string }>(
    `select
       count(*) filter (where finished_at is not null or state = 'errored') as ended,
       count(*) filter (where state = 'errored') as errored
     from tandem.events`,
  );
  const isErrored = Number(rows[0]?.errored ?? 0) > 0;
  return {
    ...others,
    stuck: work.length - Number(rows[0]?.ended ?? 0),
    wrong: others.wrong + (isErrored ? 0 : 1),
  };
}
