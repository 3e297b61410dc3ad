/** Installing the capture triggers: what is there already stays untouched. */
import { type Journal, mappedColumns, type Mapping } from "../../../model/mapping.ts";

import type { Database, Queryable } from "../../database/index.ts";
import { didYouMean, MigrationError } from "../../database/index.ts";
import type { IdentitySettings } from "../../store.ts";
import { quoteIdentifier, withBriefLock } from "../driver/index.ts";
import { type CapturedTable, captureSql, type CaptureSql, TRIGGERS } from "./capture-sql.ts";
import { assertFit } from "./fit-for-mapping.ts";
import { missingTable } from "./missing-table.ts";
import { type Column, readTableShape, type TableShape } from "./table-shapes.ts";

/**
 * Installs the triggers of mapped or journaled tables and removes those of tables that no longer are.
 * The app's table of users is watched for logins where placeholders may have to be linked.
 */
export async function installCaptureTriggers(
  database: Database,
  mappings: readonly Mapping[],
  journals: readonly Journal[],
  identities: IdentitySettings | undefined,
  timeZone: string | null,
): Promise<void> {
  const tables = await capturedTables(database, mappings, journals, identities, timeZone);
  const wanted = tables.map((table) => ({ table, sql: captureSql(table) }));
  const installed = await readInstalled(database);
  for (const { table, sql } of wanted) {
    if (isInstalled(installed, table, sql)) continue;
    await withBriefLock(database, table.recordType, async (tx) => {
      // Once more, now that no other migration can run: it may have done the work.
      if (isInstalled(await readInstalled(tx), table, sql)) return;
      await tx.script(sql.install);
    });
  }
  await removeUnmapped(database, wanted);
}

interface Installed {
  readonly relation: string;
  readonly relation_name: string;
  readonly trigger: string;
  readonly function: string;
  readonly digest: string | null;
  readonly function_digest: string | null;
  readonly enabled: string;
}

// Triggers of partitions are the parent's.
const INSTALLED = `
select
  pg_trigger.tgrelid::text as relation,
  pg_trigger.tgrelid::regclass::text as relation_name,
  pg_trigger.tgname as trigger,
  pg_proc.proname as function,
  obj_description(pg_trigger.oid, 'pg_trigger') as digest,
  obj_description(pg_proc.oid, 'pg_proc') as function_digest,
  pg_trigger.tgenabled::text as enabled
from pg_trigger
join pg_proc on pg_proc.oid = pg_trigger.tgfoid
where pg_proc.pronamespace = 'tandem'::regnamespace
  and pg_proc.proname like 'capture\\_%'
  and not pg_trigger.tgisinternal
  and pg_trigger.tgparentid = 0`;

async function readInstalled(reader: Queryable): Promise<readonly Installed[]> {
  return (await reader.query<Installed>(INSTALLED)).rows;
}

function isInstalled(
  installed: readonly Installed[],
  table: CapturedTable,
  sql: CaptureSql,
): boolean {
  return Object.values(TRIGGERS).every((trigger) =>
    installed.some(
      (candidate) =>
        candidate.relation === table.shape.oid &&
        candidate.trigger === trigger &&
        candidate.function === sql.functionName &&
        candidate.digest === sql.digest &&
        candidate.function_digest === sql.digest &&
        candidate.enabled !== "D",
    ),
  );
}

async function removeUnmapped(
  database: Database,
  wanted: readonly { readonly table: CapturedTable; readonly sql: CaptureSql }[],
): Promise<void> {
  const stale = (await readInstalled(database)).filter(
    (installed) =>
      !wanted.some(
        ({ table, sql }) =>
          table.shape.oid === installed.relation && sql.functionName === installed.function,
      ),
  );
  for (const name of new Set(stale.map((installed) => installed.relation_name))) {
    const functions = stale.filter((each) => each.relation_name === name);
    await withBriefLock(database, name, async (tx) => {
      for (const { trigger } of functions) {
        await tx.query(`drop trigger if exists ${quoteIdentifier(trigger)} on ${name}`);
      }
    });
  }
  const kept = wanted.map(({ sql }) => sql.functionName);
  const { rows } = await database.query<{ name: string }>(
    `select proname as name
     from pg_proc
     where pronamespace = 'tandem'::regnamespace
       and proname like 'capture\\_%'
       and proname <> all ($1::text[])
       and not exists (select from pg_trigger where pg_trigger.tgfoid = pg_proc.oid)`,
    [kept],
  );
  for (const { name } of rows) {
    await database.query(`drop function if exists tandem.${quoteIdentifier(name)}()`);
  }
}

async function capturedTables(
  reader: Queryable,
  mappings: readonly Mapping[],
  journals: readonly Journal[],
  identities: IdentitySettings | undefined,
  timeZone: string | null,
): Promise<readonly CapturedTable[]> {
  const users = await watchedUsers(reader, identities);
  const recordTypes = [
    ...new Set([...mappings, ...journals, ...users].map(({ recordType }) => recordType)),
  ].sort();
  const tables: CapturedTable[] = [];
  for (const recordType of recordTypes) {
    const shape = await readTableShape(reader, recordType, timeZone);
    if (shape === null) throw await missingTable(reader, recordType);
    const table = capturedTable(
      recordType,
      mappings.filter((mapping) => mapping.recordType === recordType),
      journals.find((journal) => journal.recordType === recordType) ?? null,
      users.find((table) => table.recordType === recordType) ?? null,
      shape,
      timeZone,
    );
    const twin = tables.find((other) => other.shape.oid === table.shape.oid);
    if (twin !== undefined) {
      throw new MigrationError(
        "table_named_twice",
        `${twin.recordType} and ${recordType} are one table`,
        "Name it in one way in the configuration.",
      );
    }
    tables.push(table);
  }
  return tables;
}

/** A table of which columns are watched, mapped or not. */
interface Watched {
  readonly recordType: string;
  readonly key: string;
  readonly columns: readonly string[];
}

/** Users that live elsewhere, behind a view say, are linked when their author is met again. */
async function watchedUsers(
  reader: Queryable,
  identities: IdentitySettings | undefined,
): Promise<readonly Watched[]> {
  if (identities?.unknown !== "placeholder") return [];
  const shape = await readTableShape(reader, identities.table);
  if (shape === null || (shape.kind !== "r" && shape.kind !== "p")) return [];
  const { table, key, login } = identities;
  return [{ recordType: table, key, columns: Object.values(login) }];
}

function isTime(column: Column | null): boolean {
  return column?.builtin === "timestamptz" || column?.builtin === "timestamp";
}

function capturedTable(
  recordType: string,
  mappings: readonly Mapping[],
  journal: Journal | null,
  users: Watched | null,
  shape: TableShape,
  timeZone: string | null,
): CapturedTable {
  const first = mappings[0] ?? journal ?? users;
  if (first === null) throw new Error(`nothing watches ${recordType}`);
  if (shape.kind !== "r" && shape.kind !== "p") {
    throw new MigrationError(
      "table_unsuitable",
      `${recordType} is no table, so its changes cannot be captured`,
      "Map the table behind it.",
    );
  }
  const column = (name: string): Column => {
    const found = shape.columns.get(name);
    if (found !== undefined) return found;
    throw new MigrationError(
      "column_missing",
      `${recordType} has no column ${name}`,
      name === first.key
        ? "Set `key` to the column of the table's primary key."
        : `Correct the mapping, or add the column first.${didYouMean(name, [...shape.columns.keys()])}`,
    );
  };
  for (const mapping of mappings) assertFit(mapping, shape, column);
  const mapped = mappings.flatMap((mapping) => mappedColumns(mapping));
  const names = [...new Set([...mapped, ...(users?.columns ?? [])])].sort();
  const modifiedAt = mappings.find((mapping) => mapping.modifiedAt !== null)?.modifiedAt;
  const stamp = modifiedAt == null ? null : column(modifiedAt);
  return {
    recordType,
    shape,
    key: column(first.key),
    columns: names.map(column),
    journal:
      journal === null
        ? []
        : (journal.columns ?? [...shape.columns.keys()]).map((name) => column(name)),
    modifiedAt: isTime(stamp) ? stamp : null,
    timeZone,
  };
}
