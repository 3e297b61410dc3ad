/** Deliveries: stored before they are answered, counted when they come again, then translated. */
import { type AccountId, accountId, deliveryId, laneId } from "../../../model/ids.ts";
import { formatInstant, type Instant } from "../../../model/instant.ts";
import type { Database, Queryable } from "../../database/index.ts";
import { allOf, storableJson, withoutNul } from "../../database/index.ts";
import type {
  WebhookDelivery,
  DeliveryStore,
  PendingDeliveries,
  ReceivedDelivery,
  TakenDelivery,
} from "../../deliveries.ts";

type Received = Omit<WebhookDelivery, "attempts">;

interface Folded {
  readonly delivery: Received;
  times: number;
}

interface DeliveryRow {
  readonly id: string;
  readonly integration: string;
  readonly delivery_key: string;
  readonly event: string;
  readonly payload: string;
  readonly attempts: number;
  readonly verified_by: readonly string[] | null;
}

/** A statement takes 65,535 parameters at most; this stays well below. */
const ROWS_PER_STATEMENT = 1_000;

export function deliveryStore(database: Database): DeliveryStore {
  return {
    async receive(deliveries) {
      const folded = fold(deliveries);
      const stored = new Map<string, ReceivedDelivery>();
      for (let at = 0; at < folded.length; at += ROWS_PER_STATEMENT) {
        await store(database, folded.slice(at, at + ROWS_PER_STATEMENT), stored);
      }
      const told = new Set<string>();
      return deliveries.map((delivery) => {
        const key = keyOf(delivery);
        const result = stored.get(key);
        if (result === undefined) throw new Error(`delivery ${key} was not stored`);
        const seenBefore = result.seenBefore || told.has(key);
        told.add(key);
        return { ...result, seenBefore };
      });
    },
    received: (integration, keys) => keysReceived(database, integration, keys),
    async waiting() {
      // In the words of the partial index, which holds these rows only.
      const { rows } = await database.query<{ state: "received" | "failed"; count: string }>(
        `select state, count(*) as count from tandem.deliveries
         where state in ('received', 'failed') group by state`,
      );
      const counts = { received: 0, failed: 0 };
      for (const row of rows) counts[row.state] = Number(row.count);
      return counts;
    },
    async counts() {
      const { rows } = await database.query<{
        state: "received" | "translated" | "irrelevant" | "failed";
        count: string;
      }>("select state, count(*) as count from tandem.deliveries group by state");
      const counts = { received: 0, translated: 0, irrelevant: 0, failed: 0 };
      for (const row of rows) counts[row.state] = Number(row.count);
      return counts;
    },
  };
}

export async function keysReceived(
  reader: Queryable,
  integration: string,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  const { rows } = await reader.query<{ delivery_key: string }>(
    `select delivery_key
     from tandem.deliveries
     where integration = $1 and delivery_key = any ($2::text[])`,
    [integration, keys],
  );
  return new Set(rows.map((row) => row.delivery_key));
}

/** Another transaction stored one of them meanwhile; a second look will find it. */
class StoredMeanwhileError extends Error {
  override readonly name = "StoredMeanwhileError";
  /** Postgres' code of a serialization failure, which this is. */
  readonly code = "40001";
}

/**
 * Sorted by key, as two that store the same ones must not deadlock. All is sent at once: what is asked
 * behind it may set a savepoint, and go back to it.
 */
async function add(tx: Queryable, deliveries: readonly TakenDelivery[]): Promise<void> {
  const sorted = [...deliveries].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const batches: Promise<void>[] = [];
  for (let at = 0; at < sorted.length; at += ROWS_PER_STATEMENT) {
    batches.push(addBatch(tx, sorted.slice(at, at + ROWS_PER_STATEMENT)));
  }
  await allOf(...batches);
}

async function addBatch(tx: Queryable, batch: readonly TakenDelivery[]): Promise<void> {
  const { count } = await tx.query(
    `insert into tandem.deliveries
       (id, integration, delivery_key, event, payload, state, action, reason, verified_by, run_at,
        received_at, translated_at)
     select
       given.*, clock.now, clock.now, case when given.state <> 'received' then clock.now end
     from
       (values ${tuples(batch.length, DELIVERY_CASTS)})
         as given (id, integration, delivery_key, event, payload, state, action, reason, verified_by),
       (select tandem.now() as now) as clock
     on conflict (integration, delivery_key) do nothing`,
    batch.flatMap((delivery) => [
      ...[delivery.id, delivery.integration, delivery.deliveryKey, delivery.event],
      ...[withoutNul(delivery.payload), delivery.state, delivery.action, delivery.reason],
      asArray(delivery.verifiedBy),
    ]),
  );
  if (count !== batch.length) throw new StoredMeanwhileError("a delivery was stored meanwhile");
}

const DELIVERY_CASTS = [
  ...["::uuid", "", "", "", "", "", "::text", "::text"],
  // Through text, so that both drivers write it in the same way.
  "::text::bigint[]",
];

function asArray(ids: readonly AccountId[] | null): string | null {
  return ids === null ? null : `{${ids.join(",")}}`;
}

/** `($1::uuid, $2, ...), ($9::uuid, ...)`: so many rows of parameters with their casts. */
function tuples(count: number, casts: readonly string[]): string {
  return Array.from({ length: count }, (_, row) => {
    const places = casts.map(
      (cast, column) => `$${String(row * casts.length + column + 1)}${cast}`,
    );
    return `(${places.join(", ")})`;
  }).join(", ");
}

/** One row a key, sorted: a statement cannot touch a row twice, and two must not deadlock. */
function fold(deliveries: readonly Received[]): readonly Folded[] {
  const folded = new Map<string, Folded>();
  for (const delivery of deliveries) {
    const before = folded.get(keyOf(delivery));
    if (before === undefined) folded.set(keyOf(delivery), { delivery, times: 1 });
    else before.times += 1;
  }
  return [...folded].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function keyOf(delivery: Pick<WebhookDelivery, "integration" | "deliveryKey">): string {
  return `${delivery.integration}\n${delivery.deliveryKey}`;
}

// Rows of parameters: payloads of 10 KB are much slower as elements of an array or of JSON.
// One time for the batch: what has one time is translated in the order of its ids, as it came in.
// A delivery that failed to translate is tried again at once when it comes again.
async function store(
  database: Database,
  folded: readonly Folded[],
  stored: Map<string, ReceivedDelivery>,
): Promise<void> {
  const { rows } = await database.query<{
    id: string;
    integration: string;
    delivery_key: string;
    seen_before: boolean;
    verified_by: readonly string[] | null;
  }>(
    `with stored as (
       insert into tandem.deliveries
         (id, integration, delivery_key, event, payload, times_received, verified_by, run_at,
          received_at)
       select given.*, clock.now, clock.now
       from
         (values ${tuples(folded.length, ["::uuid", "", "", "", "", "::integer", "::text::bigint[]"])}) as given,
         (select tandem.now() as now) as clock
       on conflict (integration, delivery_key) do update
       set
         times_received = deliveries.times_received + excluded.times_received,
         run_at = case
           when deliveries.state = 'failed' then excluded.run_at
           else deliveries.run_at
         end
       returning
         id, integration, delivery_key, verified_by::text[] as verified_by, xmax <> 0 as seen_before
     )
     select stored.*
     from stored, (select pg_notify('tandem_work', 'deliveries')) as told`,
    folded.flatMap(({ delivery, times }) => [
      delivery.id,
      delivery.integration,
      delivery.deliveryKey,
      delivery.event,
      withoutNul(delivery.payload),
      times,
      asArray(delivery.verifiedBy),
    ]),
  );
  for (const row of rows) {
    stored.set(keyOf({ integration: row.integration, deliveryKey: row.delivery_key }), {
      id: deliveryId(row.id),
      seenBefore: row.seen_before,
      verifiedBy: accountsOf(row),
    });
  }
}

function accountsOf({ verified_by: ids }: Pick<DeliveryRow, "verified_by">) {
  return ids === null ? null : ids.map(accountId);
}

export function pendingDeliveries(tx: Queryable, now: Instant): PendingDeliveries {
  return {
    received: (integration, keys) => keysReceived(tx, integration, keys),
    add: (deliveries) => add(tx, deliveries),
    async lock(limit, bytes = Number.MAX_SAFE_INTEGER) {
      const { rows } = await tx.query<DeliveryRow>(
        `with
           locked as (
             select id, integration, delivery_key, event, payload, attempts, verified_by, run_at
             from tandem.deliveries
             where id = any (array(
               -- Others may hold some, so more are looked at than are wanted.
               select tandem.due_deliveries($1::timestamptz, $2::integer * 4 + 16)
             ))
               -- Once more, of the row as it is when it is locked: somebody may have translated it since.
               and state in ('received', 'failed')
               and run_at <= $1::timestamptz
             order by run_at, id
             limit $2::integer
             for update skip locked
           ),
           -- The length of a payload is known without reading it.
           weighed as (
             select *, sum(octet_length(payload)) over (order by run_at, id) - octet_length(payload) as before
             from locked
           )
         select
           id, integration, delivery_key, event, payload, attempts,
           verified_by::text[] as verified_by
         from weighed
         where before < $3::bigint
         order by run_at, id`,
        [formatInstant(now), limit, bytes],
      );
      return rows.map((row) => ({
        id: deliveryId(row.id),
        integration: row.integration,
        deliveryKey: row.delivery_key,
        event: row.event,
        payload: row.payload,
        attempts: row.attempts,
        verifiedBy: accountsOf(row),
      }));
    },
    async translated(deliveries) {
      await tx.query(
        `update tandem.deliveries
         set
           state = 'translated', action = given.action, reason = null, error = null,
           translated_at = clock.now
         from
           json_to_recordset($1::json) as given (id uuid, action text),
           (select tandem.now() as now) as clock
         where deliveries.id = given.id and deliveries.id = any($2::uuid[])`,
        [storableJson(deliveries), deliveries.map(({ id }) => id)],
      );
    },
    async irrelevant(id, action, reason) {
      await tx.query(
        `update tandem.deliveries
         set
           state = 'irrelevant', action = $2, reason = $3, error = null,
           translated_at = tandem.now()
         where id = $1`,
        [id, action, reason],
      );
    },
    async failed(id, error, runAt) {
      await tx.query(
        `update tandem.deliveries
         set
           state = 'failed', attempts = attempts + 1, error = $2::jsonb,
           run_at = $3::timestamptz
         where id = $1`,
        [id, storableJson(error), formatInstant(runAt)],
      );
    },
    async erroredLanes(id) {
      const { rows } = await tx.query<{ lane_id: string }>(
        `select distinct lane_id
         from tandem.events_live
         where delivery_id = $1 and state = 'errored'
         order by lane_id`,
        [id],
      );
      return rows.map((row) => laneId(row.lane_id));
    },
  };
}
