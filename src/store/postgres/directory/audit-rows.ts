/** Acts of people, appended and never changed. */
import { parseInstant } from "../../../model/instant.ts";
import {
  AUDIT_KEPT_MS,
  AUDIT_PRUNED_AT_ONCE,
  type AuditEntry,
  type AuditStore,
} from "../../audit.ts";
import type { Queryable } from "../../database/index.ts";

interface AuditRow {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly act: string;
  readonly subject: string;
  readonly origin: string;
  readonly status: number;
}

// The oldest by their ids: a look at all of them by their time would need an index of its own.
const PRUNE = `
delete from tandem.audit
using (
  select id, at from tandem.audit order by id limit ${String(AUDIT_PRUNED_AT_ONCE)}
) as oldest
where audit.id = oldest.id
  and oldest.at < tandem.now() - interval '${String(AUDIT_KEPT_MS)} milliseconds'`;

const APPEND = `
insert into tandem.audit (actor, act, subject, origin, status)
values ($1, $2, $3, $4, $5)`;

const ENTRIES = `
select * from tandem.audit
where ($1::text is null or act = $1) and ($2::bigint is null or id < $2)
order by id desc
limit $3`;

export function auditStore(database: Queryable): AuditStore {
  return {
    async append({ actor, act, subject, origin, status }) {
      await database.query(APPEND, [actor, act, subject, origin, status]);
      await database.query(PRUNE);
    },
    async entries({ act, before, limit }) {
      const { rows } = await database.query<AuditRow>(ENTRIES, [
        act ?? null,
        before ?? null,
        limit,
      ]);
      return rows.map(entryFromRow);
    },
  };
}

function entryFromRow({ at, ...row }: AuditRow): AuditEntry {
  return { ...row, at: parseInstant(at) };
}
