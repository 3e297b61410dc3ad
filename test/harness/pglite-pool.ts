/**
 * PGlites that are emptied after a test and lent to the next, since opening one costs a second of
 * CPU and up to 0.8 GB. A borrower cannot tell one from a new one: it is lent again only
 * when nobody is using it any more and its catalogs show nothing that was not there at first.
 */
import { openAsBlob } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { applyMigrations } from "../../src/store/postgres/migrate.ts";
import type { Beginning } from "./postgres-template.ts";
import { inOurTypes, pgliteDatabase } from "../../src/store/postgres/driver/pglite-database.ts";

/** A beginning that PGlites are kept for. */
type Kept = Exclude<Beginning, "sample">;

export interface BorrowedPglite {
  /** Like a PGlite of one's own; from `giveBack` on it is closed, for late callers too. */
  readonly pglite: PGlite;
  /** It reads values as Tandem does; to read them as an app does, say so with a query. */
  readonly appTypes: PGlite["parsers"];
  /** Idempotent. */
  readonly giveBack: () => Promise<void>;
}

interface Opened {
  readonly pglite: PGlite;
  readonly beginning: Kept;
  /** How a PGlite reads values by itself. */
  readonly appTypes: PGlite["parsers"];
  readonly pristine: Pristine;
  timesLent: number;
}

/** The state of a database when it was new. */
interface Pristine {
  /** The highest oid of what it held: what is made later has a higher one. */
  readonly newest: number;
  /** Its functions, which a test may have replaced, by their text. */
  readonly functions: readonly string[];
  readonly fingerprint: string;
}

/** More than a test needs at once would only hold memory. */
const MOST_IDLE = 2;

/** Emptying leaves dead rows in the catalogs, which nothing vacuums here. */
const MOST_LENT = 100;

const idle: Opened[] = [];

/** @param dump the dump of a pristine PGlite, to load instead of running initdb */
export async function borrowPglite(dump: string, beginning: Kept): Promise<BorrowedPglite> {
  const opened = takeIdle(beginning) ?? (await open(dump, beginning));
  opened.timesLent += 1;
  const lease = leaseOf(opened.pglite);
  let givingBack: Promise<void> | undefined;
  const giveBack = async () => {
    const unused = await lease.end();
    const kept =
      unused &&
      idle.filter((one) => one.beginning === beginning).length < MOST_IDLE &&
      opened.timesLent < MOST_LENT &&
      (await isEmptied(opened));
    if (kept) idle.push(opened);
    else if (!opened.pglite.closed) await opened.pglite.close();
  };
  return {
    pglite: lease.pglite,
    appTypes: opened.appTypes,
    giveBack: () => (givingBack ??= giveBack()),
  };
}

function takeIdle(beginning: Kept): Opened | undefined {
  const at = idle.findLastIndex((one) => one.beginning === beginning);
  return at === -1 ? undefined : idle.splice(at, 1)[0];
}

async function open(dump: string, beginning: Kept): Promise<Opened> {
  const pglite = await PGlite.create({ loadDataDir: await openAsBlob(dump) });
  const appTypes = { ...pglite.parsers };
  inOurTypes(pglite);
  if (beginning === "migrated") await applyMigrations(await pgliteDatabase(pglite));
  await pglite.exec("discard all");
  return { pglite, beginning, appTypes, pristine: await lookAt(pglite), timesLent: 0 };
}

async function lookAt(pglite: PGlite): Promise<Pristine> {
  const { rows } = await pglite.query<{ newest: number }>(
    `select max(oid)::int8 as newest from
     (select oid from pg_class union all select oid from pg_proc union all select oid from pg_type) as all_of_it`,
  );
  return {
    newest: Number(rows[0]?.newest),
    functions: await functionsOf(pglite),
    fingerprint: await fingerprint(pglite),
  };
}

/** The functions that are not the system's, as they are now. */
async function functionsOf(pglite: PGlite): Promise<readonly string[]> {
  const { rows } = await pglite.query<{ text: string }>(
    `select pg_get_functiondef(oid) as text from pg_proc
     where oid >= 16384 and prokind in ('f', 'p') order by oid`,
  );
  return rows.map(({ text }) => text);
}

interface Lease {
  readonly pglite: PGlite;
  /** Closes it for its borrower; tells whether nothing of theirs is still running on it. */
  end(): Promise<boolean>;
}

/**
 * The borrower's own handle: a worker that outlives its test must find a closed database, as it
 * would have, and never the next test's.
 */
function leaseOf(pglite: PGlite): Lease {
  let ended = false;
  let running = 0;
  // PGlite keeps who listens in JavaScript, where no SQL reaches.
  const subscriptions: (() => unknown)[] = [];

  async function run(work: () => unknown): Promise<unknown> {
    if (ended) throw new Error("PGlite is closed");
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
    }
  }
  const end = async () => {
    ended = true;
    // A transaction that never ends would make this wait for ever.
    if (running > 0) return false;
    await Promise.all(subscriptions.splice(0).map((unsubscribe) => unsubscribe()));
    return true;
  };

  const handle = new Proxy(pglite, {
    get(target, name) {
      // A borrower closes its own handle only.
      if (name === "close") {
        return async () => {
          await end();
        };
      }
      if (name === "closed") return ended || target.closed;
      // Its fields are private: they must be read from itself.
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const method = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      if (name === "listen") {
        return (...args: unknown[]) =>
          run(async () => {
            const unsubscribe = await (method(...args) as ReturnType<PGlite["listen"]>);
            subscriptions.push(unsubscribe);
            return unsubscribe;
          });
      }
      if (name === "onNotification") {
        return (...args: unknown[]) => {
          const unsubscribe = method(...args) as () => void;
          subscriptions.push(unsubscribe);
          return unsubscribe;
        };
      }
      return CALLS.has(name) ? (...args: unknown[]) => run(() => method(...args)) : method;
    },
  });
  return { pglite: handle, end };
}

/** The asynchronous calls of a PGlite, which may still be running. */
const CALLS = new Set<string | symbol>([
  "describeQuery",
  "dumpDataDir",
  "exec",
  "execProtocol",
  "execProtocolRaw",
  "execProtocolStream",
  "query",
  "runExclusive",
  "sql",
  "transaction",
  "unlisten",
]);

/** Removes what a test may have made, and tells whether that was all. */
async function isEmptied({ pglite, pristine }: Opened): Promise<boolean> {
  if (pglite.closed) return false;
  try {
    // Refused inside a transaction: one that a test left open is not ours to judge.
    await pglite.exec("discard all");
    await pglite.exec(removal(pristine.newest));
    const now = new Set(await functionsOf(pglite));
    for (const text of pristine.functions) if (!now.has(text)) await pglite.exec(text);
    await pglite.exec("discard all");
    return (await fingerprint(pglite)) === pristine.fingerprint;
  } catch {
    return false;
  }
}

/** Removes every object that came later, and every row; each migration is noted, and stays so. */
function removal(newest: number): string {
  return `
set client_min_messages = error;
do $$
declare
  name text;
  newer text[];
  filled text[];
begin
  for name in select evtname from pg_event_trigger loop
    execute format('drop event trigger %I cascade', name);
  end loop;
  for name in
    select nspname from pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema'
      and (oid > ${String(newest)} or nspname = 'public')
  loop
    execute format('drop schema %I cascade', name);
  end loop;
  for name in select rolname from pg_roles where oid >= 16384 loop
    execute format('drop owned by %I cascade', name);
    execute format('drop role %I', name);
  end loop;
  -- Named all at once: dropping one may drop others, which then have no name.
  select array_agg(format('%s if exists %s cascade',
    case relkind when 'v' then 'view' else 'table' end, oid::regclass)) into newer
  from pg_class where oid > ${String(newest)} and relkind in ('v', 'r', 'p');
  select newer || array_agg(format('routine if exists %s cascade', oid::regprocedure)) into newer
  from pg_proc where oid > ${String(newest)};
  foreach name in array coalesce(newer, '{}') loop
    execute 'drop ' || name;
  end loop;
  select array_agg(oid::regclass::text) into filled from pg_class
  where oid >= 16384 and relkind = 'r' and pg_relation_size(oid) > 0
    and oid is distinct from to_regclass('tandem.migrations');
  if filled is not null then
    execute 'truncate ' || array_to_string(filled, ', ') || ' restart identity cascade';
  end if;
end $$;
create schema public authorization pg_database_owner;
comment on schema public is 'standard public schema';
grant usage on schema public to public`;
}

/**
 * Everything that a database shows of its users: the rows of each catalog, who may do what, what
 * Tandem's own objects are in full, how far its sequences are, which migrations are noted, and the
 * session's settings, locks, subscriptions and prepared statements.
 */
const FINGERPRINT = `
select concat_ws(E'\n',
  (select string_agg(concat_ws(' ', nspname, nspowner::regrole, nspacl), ', ' order by nspname)
   from pg_namespace),
  (select concat_ws(' ', count(*), count(relacl), count(reloptions), count(*) filter (where relhastriggers))
   from pg_class),
  (select concat_ws(' ', count(*), count(attacl)) from pg_attribute),
  (select concat_ws(' ', count(*), count(typacl)) from pg_type),
  (select concat_ws(' ', count(*), count(proacl), count(proconfig)) from pg_proc),
  (select string_agg(concat_ws(' ', rolname, rolsuper, rolcanlogin, rolconnlimit, rolpassword), ', ' order by rolname)
   from pg_authid),
  (select string_agg(concat_ws(' ', datname, datallowconn, datconnlimit, datacl), ', ' order by datname)
   from pg_database),
  (select concat_ws(' ',
    (select count(*) from pg_auth_members), (select count(*) from pg_cast),
    (select count(*) from pg_collation), (select count(*) from pg_constraint),
    (select count(*) from pg_conversion), (select count(*) from pg_db_role_setting),
    (select count(*) from pg_default_acl), (select count(*) from pg_depend),
    (select count(*) from pg_description), (select count(*) from pg_event_trigger),
    (select count(*) from pg_extension), (select count(*) from pg_foreign_data_wrapper),
    (select count(*) from pg_foreign_server), (select count(*) from pg_inherits),
    (select count(*) from pg_language),
    (select count(*) from pg_largeobject_metadata), (select count(*) from pg_opclass),
    (select count(*) from pg_operator), (select count(*) from pg_policy),
    (select count(*) from pg_publication), (select count(*) from pg_rewrite),
    (select count(*) from pg_seclabel), (select count(*) from pg_shdepend),
    (select count(*) from pg_shdescription), (select count(*) from pg_statistic_ext),
    (select count(*) from pg_statistic), (select count(*) from pg_tablespace),
    (select count(*) from pg_trigger),
    (select count(*) from pg_ts_config), (select count(*) from pg_user_mapping))),
  (select md5(string_agg(concat_ws(' ', oid, relname, relnamespace, relowner, relkind, relpersistence,
     relnatts, relchecks, relhasrules, relrowsecurity, relreplident, relacl, reloptions, relpartbound),
     ', ' order by oid)) from pg_class where oid >= 16384),
  (select md5(string_agg(concat_ws(' ', attrelid, attname, atttypid, atttypmod, attnotnull, atthasdef,
     attidentity, attgenerated, attisdropped, attcollation, attoptions), ', ' order by attrelid, attnum))
   from pg_attribute where attrelid >= 16384),
  (select md5(string_agg(concat_ws(' ', adrelid, adnum, pg_get_expr(adbin, adrelid)), ', '
     order by adrelid, adnum)) from pg_attrdef where adrelid >= 16384),
  (select md5(string_agg(concat_ws(' ', conrelid, conname, pg_get_constraintdef(oid), convalidated), ', '
     order by oid)) from pg_constraint where oid >= 16384),
  (select md5(string_agg(concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid), ', '
     order by indexrelid)) from pg_index where indexrelid >= 16384),
  (select md5(string_agg(concat_ws(' ', oid, pg_get_triggerdef(oid), tgenabled), ', ' order by oid))
   from pg_trigger where not tgisinternal),
  (select md5(string_agg(concat_ws(' ', oid, proname, prosrc, prosecdef, provolatile), ', ' order by oid))
   from pg_proc where oid >= 16384),
  (select to_jsonb(query_to_xml(format('select * from %s order by 1', noted), true, true, '')::text)::text
   from to_regclass('tandem.migrations') as noted where noted is not null),
  (select string_agg(concat_ws(' ', schemaname, sequencename, last_value), ', '
     order by schemaname, sequencename) from pg_sequences),
  (select string_agg(name || '=' || setting, ', ' order by name)
   from pg_settings where source = 'session'),
  (select concat_ws(' ',
    (select count(*) from pg_locks where locktype = 'advisory'),
    (select count(*) from pg_listening_channels()), (select count(*) from pg_prepared_statements),
    (select count(*) from pg_cursors where name <> '')))
) as fingerprint`;

async function fingerprint(pglite: PGlite): Promise<string> {
  const { rows } = await pglite.query<{ fingerprint: string }>(FINGERPRINT);
  const [row] = rows;
  if (row === undefined) throw new Error("PGlite showed nothing of its catalogs");
  return row.fingerprint;
}
