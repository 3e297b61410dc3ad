/** Says, of a table that is not there, where it was looked for and which one was probably meant. */

import { didYouMean, MigrationError, type Queryable } from "../../database/index.ts";

interface Searched {
  readonly database: string;
  readonly path: string;
  readonly tables: readonly string[];
}

/** Tables along the search path by their name, and others with their schema, as a configuration names them. */
const SEARCHED = `
select
  current_database() as database,
  array_to_string(current_schemas(false), ', ') as path,
  array(
    select
      case
        when pg_table_is_visible(pg_class.oid) then pg_class.relname::text
        else pg_namespace.nspname || '.' || pg_class.relname
      end
    from pg_class
    join pg_namespace on pg_namespace.oid = pg_class.relnamespace
    where pg_class.relkind in ('r', 'p')
      and not pg_class.relispartition
      and pg_namespace.nspname not in ('information_schema', 'tandem')
      and pg_namespace.nspname not like 'pg\\_%'
    order by pg_class.relname
    limit 1000
  ) as tables`;

export async function missingTable(reader: Queryable, name: string): Promise<MigrationError> {
  const { rows } = await reader.query<Searched>(SEARCHED);
  const { database = "", path = "", tables = [] } = rows[0] ?? {};
  return new MigrationError(
    "table_missing",
    `there is no table ${name} in the database "${database}" (search path: ${path || "empty"})`,
    tables.length === 0
      ? "That database has no tables of an app: check `database` in the configuration. If it comes from the environment, check that the variable is set."
      : `Create it first, or correct the configuration.${didYouMean(name, tables)}`,
  );
}
