/** Tandem with an app that refuses every edit of one issue: other edits must not wait for its errors. */
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
    // Errored events stay, because they wait for a person.
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

/** Audits the other edits, and checks that the poisoned ones are errored. */
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
