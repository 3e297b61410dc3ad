/**
 * The SQL of the triggers that capture local writes, for one table.
 *
 * They run in the writer's transaction, so they must not fail and should cost next to nothing:
 *
 * 1. An update that moves no mapped column does not even call the function (`when`).
 * 2. Values are read inside a block that takes any error, for a column may be renamed before
 *    Tandem learns of it. The block writes nothing, so it costs no transaction id.
 * 3. No key, constraint or cast stands between the writer and `tandem.changes`.
 * 4. A statement of ours whose writer notifies the drain itself is not captured. Writes that other triggers
 *    make in answer to it, at a greater depth, are captured as usual.
 * 5. Any writer may set a setting and attach a function. So a mark of ours counts only for a role that may
 *    write `tandem.changes` itself, and the function captures nothing but the writes of its own table.
 */
import { createHash } from "node:crypto";
import { quoteIdentifier, quoteLiteral } from "../driver/index.ts";
import type { Column, TableShape } from "./table-shapes.ts";

/** A mapped table with the columns whose changes matter. */
export interface CapturedTable {
  readonly recordType: string;
  readonly shape: TableShape;
  readonly key: Column;
  readonly columns: readonly Column[];
  /** The columns whose values are kept, of a table with a journal. */
  readonly journal: readonly Column[];
  /** The app's own modified-at column, where it is a time. */
  readonly modifiedAt: Column | null;
  /** In which the app writes times without a zone; `null`: in that of the writer's session, as `now()` is. */
  readonly timeZone: string | null;
}

export interface CaptureSql {
  /** Qualified and quoted. */
  readonly function: string;
  /** The function's bare name. */
  readonly functionName: string;
  /** Says whether what is installed is this: a comment on each object carries it. */
  readonly digest: string;
  readonly install: string;
}

export const TRIGGERS = {
  insert: "tandem_capture_insert",
  update: "tandem_capture_update",
  delete: "tandem_capture_delete",
  truncate: "tandem_capture_truncate",
} as const;

// A role that may not use the schema must not name its table: the name alone would fail its write.
const toldByTrigger = (recordType: string) => `(
    current_setting('tandem.told_by', true) is distinct from ${quoteLiteral(recordType)}
    or pg_trigger_depth() > 0
    or not case
      when has_schema_privilege('tandem', 'usage')
        then has_table_privilege('tandem.changes', 'insert')
      else false
    end
  )`;

/** The event that a write of ours is marked with; a mark of anyone else's, or none of an event, is no mark. */
const MARKED = `
  if mark ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' and has_table_privilege(
    to_regrole(quote_ident(coalesce(nullif(current_setting('role'), 'none'), session_user)))::oid,
    'tandem.changes',
    'insert'
  ) then
    origin := mark;
  end if;`;

/** The function may be attached to other tables, by their owners, and must say nothing of these. */
function ofItsTable({ quoted }: TableShape): string {
  const own = `to_regclass(${quoteLiteral(quoted)})`;
  return `
  if (tg_relid = ${own} or pg_partition_root(tg_relid) = ${own}) is not true then
    return null;
  end if;`;
}

export function captureSql(table: CapturedTable): CaptureSql {
  const functionName = nameOf(table.recordType);
  const name = `tandem.${quoteIdentifier(functionName)}`;
  const statements = [
    functionSql(name, table),
    `revoke all on function ${name}() from public`,
    ...dropTriggers(table.shape.quoted),
    `create trigger ${TRIGGERS.insert}
  after insert on ${table.shape.quoted}
  for each row when (${toldByTrigger(table.recordType)})
  execute function ${name}()`,
    `create trigger ${TRIGGERS.update}
  after update on ${table.shape.quoted}
  for each row when ((
    ${[table.key, ...watched(table)].map(differs).join("\n    or ")}
  ) and ${toldByTrigger(table.recordType)})
  execute function ${name}()`,
    `create trigger ${TRIGGERS.delete}
  after delete on ${table.shape.quoted}
  for each row execute function ${name}()`,
    `create trigger ${TRIGGERS.truncate}
  after truncate on ${table.shape.quoted}
  for each statement execute function ${name}()`,
  ];
  const digest = createHash("sha256").update(statements.join(";\n")).digest("hex").slice(0, 16);
  const comments = [
    `comment on function ${name}() is '${digest}'`,
    ...Object.values(TRIGGERS).map(
      (trigger) => `comment on trigger ${trigger} on ${table.shape.quoted} is '${digest}'`,
    ),
  ];
  return {
    function: name,
    functionName,
    digest,
    install: `${[...statements, ...comments].join(";\n\n")};\n`,
  };
}

function dropTriggers(quotedTable: string): readonly string[] {
  return Object.values(TRIGGERS).map(
    (trigger) => `drop trigger if exists ${trigger} on ${quotedTable}`,
  );
}

/** Readable, and unlike for any two tables: `capture_tasks_1f2e3d4c`. */
function nameOf(recordType: string): string {
  const readable = recordType.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
  const unlike = createHash("sha256").update(recordType).digest("hex").slice(0, 8);
  return `capture_${readable.slice(0, 40)}_${unlike}`;
}

function functionSql(name: string, table: CapturedTable): string {
  const { recordType, shape, key, columns, modifiedAt, timeZone } = table;
  const type = quoteLiteral(recordType);
  const names = watched(table).map((column) => quoteLiteral(column.name));
  const all = `array[${names.join(", ")}]::text[]`;
  const moved = watched(table).map(
    (column) => `case when ${differs(column)} then ${quoteLiteral(column.name)} end`,
  );
  const old = [key, ...columns.filter((column) => column.name !== key.name)].map(
    (column) => `${quoteLiteral(column.name)}, ${asJson("old", column)}`,
  );
  const journal = journalSql(table);
  return `create or replace function ${name}() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as ${dollarQuoted(`
declare
  new_key text;
  old_key text;
  moved text[] := ${all};
  old_row jsonb;
  changed timestamptz := tandem.now();
  mark text := current_setting('tandem.origin', true);
  origin text;${journal.declared}
begin${ofItsTable(shape)}${MARKED}

  -- Which rows there were is not told, so the sweep looks.
  if tg_op = 'TRUNCATE' then
    insert into tandem.truncations (record_type) values (${type});
    return null;
  end if;

  begin
    if tg_op <> 'DELETE' then
      new_key := new.${key.quoted}::text;
    end if;
    if tg_op <> 'INSERT' then
      old_key := old.${key.quoted}::text;
    end if;${modifiedAt === null ? "" : stampSql(modifiedAt, timeZone)}
    if tg_op = 'UPDATE' and old_key = new_key then
      moved := array_remove(array[
        ${moved.join(",\n        ")}
      ]::text[], null);
    end if;
    if tg_op = 'DELETE' or (tg_op = 'UPDATE' and old_key <> new_key) then
      old_row := jsonb_build_object(${old.join(", ")});
    end if;${journal.read}
  exception when others then
    -- A column is not as it was at the last migrate. What is known by now will do.
    null;
  end;

  if tg_op = 'DELETE' or (tg_op = 'UPDATE' and old_key <> new_key) then
    insert into tandem.changes
      (record_type, record_id, operation, columns, changed_at, origin, transaction_id, old_record${journal.column})
    values
      (${type}, old_key, 'delete', '{}', changed, origin, pg_current_xact_id(), old_row${journal.ofOld});
  end if;
  if tg_op <> 'DELETE' then
    insert into tandem.changes
      (record_type, record_id, operation, columns, changed_at, origin, transaction_id${journal.column})
    values (
      ${type},
      new_key,
      case when tg_op = 'INSERT' or old_key <> new_key then 'insert' else 'update' end,
      moved,
      changed,
      origin,
      pg_current_xact_id()${journal.ofNew}
    );
  end if;
  return null;
end
`)}`;
}

/** Every column whose change fires the trigger. */
function watched({ columns, journal }: CapturedTable): readonly Column[] {
  const mapped = new Set(columns.map((column) => column.name));
  return [...columns, ...journal.filter((column) => !mapped.has(column.name))];
}

/** The SQL that a journal adds: each moved column's values before and after, unless the write is ours. */
function journalSql({ journal }: CapturedTable) {
  if (journal.length === 0) return { declared: "", read: "", column: "", ofOld: "", ofNew: "" };
  const values = journal.map(
    (column) => `case when ${differs(column)} then jsonb_build_object(${quoteLiteral(column.name)},
          jsonb_build_object('from', ${asJson("old", column)}, 'to', ${asJson("new", column)}))
        else '{}' end`,
  );
  return {
    declared: "\n  values_moved jsonb := '{}';",
    // Last of all, so that values which have no JSON take nothing else with them.
    read: `
    if origin is null then
      values_moved := ${values.join("\n        || ")};
    end if;`,
    column: ", journal",
    ofOld:
      ", case when origin is null then case when tg_op = 'DELETE' then values_moved else '{}' end end",
    ofNew: ",\n      case when origin is null then values_moved end",
  };
}

/** The writer's own time, where it set one; no write was made later than now. */
function stampSql({ quoted, builtin }: Column, timeZone: string | null): string {
  const written =
    builtin === "timestamp" && timeZone !== null
      ? `(new.${quoted} at time zone ${quoteLiteral(timeZone)})`
      : `new.${quoted}::timestamptz`;
  return `
    if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.${quoted} is distinct from old.${quoted}) then
      changed := least(changed, greatest(coalesce(${written}, changed), '1970-01-01 00:00Z'));
    end if;`;
}

/** Types whose own equality sees every difference, and sees it whatever the search path. */
const EXACT = new Set([
  ...["bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "uuid", "bytea"],
  ...["date", "time", "timetz", "timestamp", "timestamptz", "jsonb"],
]);

/**
 * Whether a column moved. Most types are compared as text, byte by byte: some have no equality
 * (json, xml, point), for some it is too kind (citext, interval, texts under a collation that
 * ignores case), and the operators of an extension are not on the function's search path.
 */
function differs({ quoted, builtin, isEnum }: Column): string {
  const compared = (row: string) =>
    isEnum || (builtin !== null && EXACT.has(builtin))
      ? `${row}.${quoted}`
      : `${row}.${quoted}::text collate pg_catalog."C"`;
  return `${compared("old")} is distinct from ${compared("new")}`;
}

/** As the driver would give the value: JSON numbers are too small for bigints and decimals. */
function asJson(row: "old" | "new", { quoted, builtin }: Column): string {
  const asText = builtin === "int8" || builtin === "numeric";
  return asText ? `${row}.${quoted}::text` : `to_jsonb(${row}.${quoted})`;
}

/** A dollar quote that the body does not contain: names of columns may have dollars. */
function dollarQuoted(body: string): string {
  let tag = "$capture$";
  for (let count = 1; body.includes(tag); count += 1) tag = `$capture${count}$`;
  return `${tag}${body}${tag}`;
}
