/** Counts of refused webhooks. */
import { formatInstant, parseInstant } from "../../../model/instant.ts";
import type { Queryable } from "../../database/index.ts";
import { REFUSALS_KEPT_MS, type RefusalStore } from "../../refusals.ts";

interface RefusalRow {
  readonly integration: string;
  readonly code: string;
  readonly count: string;
  readonly last_at: string;
}

// In one order, so that two processes never wait for each other's rows.
const ADD = `
insert into tandem.refusals (minute, integration, code, count)
select date_trunc('minute', tandem.now()), integration, code, count
from jsonb_to_recordset($1::jsonb) as added (integration text, code text, count bigint)
order by integration, code
on conflict (minute, integration, code) do update set count = refusals.count + excluded.count`;

const PRUNE = `
delete from tandem.refusals
where minute < tandem.now() - interval '${String(REFUSALS_KEPT_MS)} milliseconds'`;

const SINCE = `
select integration, code, sum(count)::text as count, max(minute) as last_at
from tandem.refusals
where minute >= date_trunc('minute', $1::timestamptz)
group by integration, code
order by sum(count) desc, integration, code`;

export function refusalStore(database: Queryable): RefusalStore {
  return {
    async add(refusals) {
      if (refusals.length === 0) return;
      await database.query(ADD, [JSON.stringify(refusals)]);
      await database.query(PRUNE);
    },
    async since(at) {
      const { rows } = await database.query<RefusalRow>(SINCE, [formatInstant(at)]);
      return rows.map(({ integration, code, count, last_at: lastAt }) => ({
        ...{ integration, code, count: Number(count), lastAt: parseInstant(lastAt) },
      }));
    },
  };
}
