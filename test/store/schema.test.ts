/** The schema as the migrations leave it, so that a review sees what a migration changes. */
import { expect, it } from "vitest";
import { migrate } from "../../src/store/postgres/migrate.ts";
import { describeOnEachEmptyDatabase, type TestDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

describeOnEachEmptyDatabase("the schema", (open) => {
  it("is what the snapshot shows, on both databases", async () => {
    const app = await open();
    await migrate(await connectTo(app), []);
    await expect(await describeSchema(app)).toMatchFileSnapshot("./schema.snapshot.sql");
  });

  it("leaves payloads to lz4, or as they come where the server has none", async () => {
    const app = await open();
    await migrate(await connectTo(app), []);
    const [has] = await app.sql<{ lz4: boolean }>(
      "select 'lz4' = any(enumvals) as lz4 from pg_settings where name = 'default_toast_compression'",
    );
    const [payload] = await app.sql(
      `select attcompression as compression, attstorage as storage
       from pg_attribute
       where attrelid = 'tandem.deliveries'::regclass and attname = 'payload'`,
    );
    expect(payload).toEqual(
      has?.lz4 === true ? { compression: "l", storage: "x" } : { compression: "", storage: "e" },
    );
  });
});

async function describeSchema(app: TestDatabase): Promise<string> {
  const parts = [RELATIONS, INDEXES, FUNCTIONS].map(async (query) =>
    (await app.sql<{ line: string }>(query)).map((row) => row.line),
  );
  return `${(await Promise.all(parts)).map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

const RELATIONS = `
select
  case relkind when 'v' then 'view ' when 'p' then 'partitioned table ' else 'table ' end
  || 'tandem.' || relname
  || coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '')
  || case
    when relispartition then ' partition ' || pg_get_expr(relpartbound, pg_class.oid)
    when relkind = 'p' then ' partition by ' || pg_get_partkeydef(pg_class.oid)
    else ''
  end
  || E'\\n'
  || (
    select string_agg(
      '  ' || attname || ' ' || format_type(atttypid, atttypmod)
      || case when attnotnull then ' not null' else '' end
      || case when attidentity <> '' then ' generated always as identity' else '' end
      || coalesce(' default ' || pg_get_expr(adbin, adrelid), ''),
      E'\\n' order by attnum
    )
    from pg_attribute
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = pg_class.oid and attnum > 0 and not attisdropped
  )
  || coalesce(
    E'\\n' || (
      select string_agg('  ' || conname || ': ' || pg_get_constraintdef(oid), E'\\n' order by conname)
      from pg_constraint
      -- From Postgres 18 on, each "not null" is listed here too.
      where conrelid = pg_class.oid and contype <> 'n'
    ),
    ''
  )
  || E'\\n' as line
from pg_class
where relnamespace = 'tandem'::regnamespace and relkind in ('r', 'p', 'v')
order by relname`;

const INDEXES = `
select indexdef as line from pg_indexes where schemaname = 'tandem' order by indexname`;

const FUNCTIONS = `
select
  'function tandem.' || proname || '(' || pg_get_function_identity_arguments(oid) || ') returns '
  || pg_get_function_result(oid) as line
from pg_proc
where pronamespace = 'tandem'::regnamespace
order by 1`;
