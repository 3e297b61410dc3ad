/** Backfills and the keys by which they pair. */
import type { Backfill, BackfillProgress } from "../../../model/backfill.ts";
import { NO_PROGRESS } from "../../../model/backfill.ts";
import { connectionId } from "../../../model/ids.ts";
import { formatInstant, parseInstant } from "../../../model/instant.ts";
import type { BackfillStore } from "../../backfills.ts";
import type { Queryable } from "../../database/index.ts";
import { storableJson } from "../../database/index.ts";
import { instantOrNull, textOrNull } from "../lanes/index.ts";

interface BackfillRow {
  readonly connection_id: string;
  readonly resource_type: string;
  readonly step: Backfill["step"];
  readonly cursor: string | null;
  readonly pairs: boolean;
  readonly creates: boolean;
  readonly progress: Omit<BackfillProgress, "latest"> & { readonly latest: string | null };
  readonly started_at: string;
  readonly run_at: string;
  readonly leased_until: string | null;
  readonly finished_at: string | null;
}

export async function backfills(database: Queryable): Promise<readonly Backfill[]> {
  const { rows } = await database.query<BackfillRow>(
    "select * from tandem.backfills order by connection_id, resource_type",
  );
  return rows.map(fromRow);
}

export function backfillStore(tx: Queryable): BackfillStore {
  return {
    async open(connection, resourceType, { pairs, creates }) {
      await tx.query(
        `insert into tandem.backfills as backfill
           (connection_id, resource_type, step, pairs, creates, progress)
         values ($1, $2, 'list', $3, $4, $5::jsonb)
         on conflict (connection_id, resource_type) do update
         set
           step = case when backfill.finished_at is null then backfill.step else 'list' end,
           cursor = case when backfill.finished_at is null then backfill.cursor end,
           pairs = case when backfill.finished_at is null then backfill.pairs else $3 end,
           creates = case
             when backfill.finished_at is null then backfill.creates or $4 else $4
           end,
           progress = case
             when backfill.finished_at is null then backfill.progress else $5::jsonb
           end,
           started_at = case
             when backfill.finished_at is null then backfill.started_at else tandem.now()
           end,
           run_at = tandem.now(),
           finished_at = null`,
        [connection, resourceType, pairs, creates, storableJson(NO_PROGRESS)],
      );
    },
    async claim(connection, resourceType, until) {
      const { rows } = await tx.query<BackfillRow>(
        `update tandem.backfills
         set leased_until = $3
         where connection_id = $1
           and resource_type = $2
           and finished_at is null
           and run_at <= tandem.now()
           and (leased_until is null or leased_until <= tandem.now())
         returning *`,
        [connection, resourceType, formatInstant(until)],
      );
      return rows.map(fromRow)[0] ?? null;
    },
    async save(claimed, after) {
      const { count } = await tx.query(
        `update tandem.backfills
         set
           step = $4,
           cursor = $5,
           progress = $6::jsonb,
           run_at = $7,
           leased_until = $8,
           finished_at = $9
         where connection_id = $1
           and resource_type = $2
           and leased_until is not distinct from $3::timestamptz`,
        [
          claimed.connectionId,
          claimed.resourceType,
          textOrNull(claimed.leasedUntil),
          after.step,
          after.cursor,
          storableJson({ ...after.progress, latest: textOrNull(after.progress.latest) }),
          formatInstant(after.runAt),
          textOrNull(after.leasedUntil),
          textOrNull(after.finishedAt),
        ],
      );
      return count > 0;
    },
    async forgetKeys(connection, resourceType) {
      await tx.query(
        "delete from tandem.pairing_keys where connection_id = $1 and resource_type = $2",
        [connection, resourceType],
      );
    },
    async noteKeys(connection, resourceType, keys) {
      if (keys.length === 0) return;
      await tx.query(
        `insert into tandem.pairing_keys (connection_id, resource_type, side, id, key, label)
         select $1, $2, side, id, key, label
         from json_to_recordset($3::json) as noted (side text, id text, key text, label text)
         on conflict (connection_id, resource_type, side, id) do update
         set key = excluded.key, label = excluded.label`,
        [connection, resourceType, storableJson(keys)],
      );
    },
    async sharedKeys(connection, resourceType, after, limit) {
      const { rows } = await tx.query<{
        key: string;
        label: string;
        records: readonly string[];
        resources: readonly string[];
      }>(
        `select
           key,
           min(label) as label,
           (array_agg(id order by id) filter (where side = 'record'))[1:11] as records,
           (array_agg(id order by id) filter (where side = 'resource'))[1:11] as resources
         from tandem.pairing_keys
         where connection_id = $1 and resource_type = $2 and ($3::text is null or key > $3)
         group by key
         having count(distinct side) = 2
         order by key
         limit $4`,
        [connection, resourceType, after, limit],
      );
      return rows;
    },
    async ambiguousRecords(connection, resourceType, recordIds) {
      const { rows } = await tx.query<{ id: string }>(
        `select own.id
         from tandem.pairing_keys as own
         where own.connection_id = $1
           and own.resource_type = $2
           and own.side = 'record'
           and own.id = any($3::text[])
           and exists (
             select from tandem.pairing_keys as other
             where other.connection_id = $1
               and other.resource_type = $2
               and other.key = own.key
               and other.side = 'resource'
           )
           and (
             select count(*) from tandem.pairing_keys as all_of_it
             where all_of_it.connection_id = $1
               and all_of_it.resource_type = $2
               and all_of_it.key = own.key
           ) > 2`,
        [connection, resourceType, recordIds],
      );
      return new Set(rows.map(({ id }) => id));
    },
    async backlog(connection, limit) {
      const { rows } = await tx.query<{ count: string }>(
        `select count(*) as count
         from (
           select from tandem.events_live
           where connection_id = $1
             and source = 'backfill'
             and state in ('queued', 'processing')
           limit $2
         ) as waiting`,
        [connection, limit],
      );
      return Number(rows[0]?.count ?? 0);
    },
  };
}

function fromRow(row: BackfillRow): Backfill {
  const { latest } = row.progress;
  return {
    connectionId: connectionId(row.connection_id),
    resourceType: row.resource_type,
    step: row.step,
    cursor: row.cursor,
    pairs: row.pairs,
    creates: row.creates,
    progress: { ...row.progress, latest: latest === null ? null : parseInstant(latest) },
    startedAt: parseInstant(row.started_at),
    runAt: parseInstant(row.run_at),
    leasedUntil: instantOrNull(row.leased_until),
    finishedAt: instantOrNull(row.finished_at),
  };
}
