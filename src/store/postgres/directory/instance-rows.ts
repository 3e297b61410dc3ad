/** The instance that a database belongs to. */
import type { Instance } from "../../../engine/limits/index.ts";
import { formatInstant, parseInstant } from "../../../model/instant.ts";
import type { Queryable } from "../../database/index.ts";
import type { InstanceStore } from "../../instances.ts";
import { instantOrNull } from "../lanes/index.ts";
import type { LogWatch } from "./log-watch.ts";

interface InstanceRow extends Instance {
  readonly adopted_at: string;
  /** Absent on a schema from before it. */
  readonly set_back?: string | null;
}

// Neither is in a dump. A replica that takes over has both, so a failover is no copy.
const PLACE = `
select
  (select system_identifier from pg_control_system())::text || '/' || oid::text as place
from pg_database
where datname = current_database()`;

const ADOPT = `
insert into tandem.instance (name, place) values ($1, $2)
on conflict (is_only) do update
set name = excluded.name, place = excluded.place, set_back = null, adopted_at = tandem.now()`;

const FIRST_BEAT = `
with forgotten as (
  delete from tandem.beats where at < (select tandem.now() - interval '90 days') and host <> $1
)
insert into tandem.beats (host, at) values ($1, tandem.now())
on conflict (host) do update
set at = greatest(beats.at + interval '1 microsecond', excluded.at)
returning at`;

// One statement, so that no failover comes between the look and the beat.
const BEAT = `
update tandem.beats
set at = greatest(at + interval '1 microsecond', tandem.now())
where host = $1 and at >= $2::timestamptz
returning at`;

// The lost commits may include the instance's own row, so insert it if it is missing.
const NOTE_SET_BACK = `
insert into tandem.instance (set_back) values ($1)
on conflict (is_only) do update
set set_back = excluded.set_back
where instance.adopted_at <= $2::timestamptz`;

export function instanceStore(
  database: Queryable,
  watch: Pick<LogWatch, "doubts" | "failovers">,
): InstanceStore {
  return {
    async read() {
      const { rows } = await database.query<InstanceRow>("select * from tandem.instance");
      const [row] = rows;
      const place = await placeOf(database);
      if (row === undefined) return { stored: null, place };
      const { adopted_at: adoptedAt, set_back: setBack = null } = row;
      const stored = {
        name: row.name,
        place: row.place,
        adoptedAt: parseInstant(adoptedAt),
        setBack,
      };
      return { stored, place };
    },
    async adopt({ name, place }) {
      await database.query(ADOPT, [name, place]);
    },
    async beat(host, seen) {
      const { rows } = await (seen === null
        ? database.query<{ at: string }>(FIRST_BEAT, [host])
        : database.query<{ at: string }>(BEAT, [host, formatInstant(seen)]));
      return instantOrNull(rows[0]?.at ?? null);
    },
    async noteSetBack(why, seen) {
      await database.query(NOTE_SET_BACK, [why, formatInstant(seen)]);
    },
    noticed: () => ({ doubts: watch.doubts, failovers: watch.failovers }),
  };
}

/** Some hosts do not let everybody ask; then only the instance id tells. */
async function placeOf(database: Queryable): Promise<string | null> {
  try {
    const { rows } = await database.query<{ place: string | null }>(PLACE);
    return rows[0]?.place ?? null;
  } catch {
    return null;
  }
}
