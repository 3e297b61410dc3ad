/** A database that is set back where it is, as a recovery to an earlier time leaves it. */
import type { TestDatabase } from "./databases.ts";

/** Remembers every row of a database; returns what sets it back to them, its own server's clock apart. */
export async function rememberDatabase({
  sql,
}: Pick<TestDatabase, "sql">): Promise<() => Promise<void>> {
  const tables = await sql<{ name: string; copy: string; columns: string }>(`
    select
      format('%I.%I', nspname, relname) as name,
      format('remembered.%I', nspname || '.' || relname) as copy,
      (
        select string_agg(quote_ident(attname), ', ')
        from pg_attribute
        where attrelid = pg_class.oid and attnum > 0 and not attisdropped and attgenerated = ''
      ) as columns
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ('public', 'tandem') and relkind in ('r', 'p') and not relispartition
      and relname <> 'virtual_clock'`);
  await sql("create schema remembered");
  for (const { name, copy } of tables) await sql(`create table ${copy} as table ${name}`);
  return async () => {
    const names = tables.map(({ name }) => name).join(", ");
    const back = tables.map(
      ({ name, copy, columns }) =>
        `insert into ${name} (${columns}) overriding system value select ${columns} from ${copy};`,
    );
    // In one transaction and without triggers: nothing of it is a write of the app.
    await sql(`
      begin;
      set local session_replication_role = replica;
      truncate ${names};
      ${back.join("\n")}
      commit`);
  };
}
