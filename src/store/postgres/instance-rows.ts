/** Whose database this is. */
import type { Instance } from "../../engine/instance.ts";
import type { Queryable } from "../database.ts";
import type { InstanceStore } from "../instances.ts";

// Neither is in a dump. A replica that takes over has both, so a failover is no copy.
const PLACE = `
select
  (select system_identifier from pg_control_system())::text || '/' || oid::text as place
from pg_database
where datname = current_database()`;

const ADOPT = `
insert into tandem.instance (name, place) values ($1, $2)
on conflict (is_only) do update
set name = excluded.name, place = excluded.place, adopted_at = tandem.now()`;

export function instanceStore(database: Queryable): InstanceStore {
  return {
    async read() {
      const { rows } = await database.query<Instance>("select name, place from tandem.instance");
      return { stored: rows[0] ?? null, place: await placeOf(database) };
    },
    async adopt({ name, place }) {
      await database.query(ADOPT, [name, place]);
    },
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
