/** The facts about an app's table that Tandem needs to read, write and watch it safely. */
import type { RowPatch } from "../../../model/mapping.ts";
import { type WallClock, wallClock } from "../../../model/wall-clock.ts";
import type { Queryable } from "../../database/index.ts";
import { MigrationError } from "../../database/index.ts";
import { isParsedArray, quoteIdentifier } from "../driver/index.ts";

export interface Column {
  readonly name: string;
  readonly quoted: string;
  /** The type as SQL names it, without length or precision: a cast to it truncates nothing. */
  readonly type: string;
  /** Under all domains: the name of a built-in type, or `null` for any other. */
  readonly builtin: string | null;
  readonly isEnum: boolean;
  /** The element's type of an array. */
  readonly element: { readonly builtin: string | null } | null;
  /** Computed by the table, so that nobody can write it. */
  readonly generated: boolean;
  readonly notNull: boolean;
  /** By which clock the app writes a time without a zone; `null` of every other type. */
  readonly wall: WallClock | null;
}

export interface TableShape {
  /** The table's oid. */
  readonly oid: string;
  /** `r`: a table, `p`: a partitioned one; others cannot be watched. */
  readonly kind: string;
  /** Schema and name, quoted. */
  readonly quoted: string;
  /** Whether rules make other statements of those on it. */
  readonly ruled: boolean;
  /** Whether other tables than partitions show their rows in it: no trigger of its own sees those. */
  readonly inherited: boolean;
  readonly columns: ReadonlyMap<string, Column>;
  /** Every column, in a form that both drivers read the same. */
  readonly selectList: string;
}

/** Types that keep no zone with what they say of a time. */
const WITHOUT_ZONE = new Set(["timestamp", "date"]);

interface ColumnRow {
  readonly oid: string;
  readonly kind: string;
  readonly ruled: boolean;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly builtin: string | null;
  readonly is_enum: boolean;
  readonly is_array: boolean;
  readonly array_oid: string | null;
  readonly element_builtin: string | null;
  readonly generated: boolean;
  readonly not_null: boolean;
  readonly inherited: boolean;
  readonly zone: string;
}

// A name with a dot may be a table's own; only if there is none is it a schema and a table.
const SHAPE = `
with recursive relation as (
  select coalesce(
    to_regclass(quote_ident($1)),
    to_regclass(
      quote_ident(split_part($1, '.', 1)) || '.'
      || quote_ident(nullif(substr($1, strpos($1, '.') + 1), $1))
    )
  )::oid as oid
),
attribute as (
  select attrelid, attnum, attname, atttypid, attgenerated, attnotnull
  from pg_attribute
  where attrelid = (select oid from relation) and attnum > 0 and not attisdropped
),
base as (
  select attnum, atttypid as type from attribute
  union all
  select base.attnum, pg_type.typbasetype
  from base
  join pg_type on pg_type.oid = base.type
  where pg_type.typtype = 'd'
)
select
  pg_class.oid::text as oid,
  pg_class.relkind::text as kind,
  pg_class.relhasrules as ruled,
  pg_namespace.nspname as schema,
  pg_class.relname as "table",
  attribute.attname as "column",
  format_type(attribute.atttypid, -1) as type,
  case when type.typnamespace = 'pg_catalog'::regnamespace then type.typname end as builtin,
  type.typtype = 'e' as is_enum,
  type.typcategory = 'A' as is_array,
  case when type.typcategory = 'A' then type.oid::text end as array_oid,
  case
    when element.typnamespace = 'pg_catalog'::regnamespace then element.typname
  end as element_builtin,
  attribute.attgenerated <> '' as generated,
  attribute.attnotnull as not_null,
  pg_class.relkind = 'r' and exists (
    select from pg_inherits where pg_inherits.inhparent = pg_class.oid
  ) as inherited,
  current_setting('TimeZone') as zone
from attribute
join base on base.attnum = attribute.attnum
join pg_type as type on type.oid = base.type and type.typtype <> 'd'
left join pg_type as element on element.oid = type.typelem and type.typcategory = 'A'
join pg_class on pg_class.oid = attribute.attrelid
join pg_namespace on pg_namespace.oid = pg_class.relnamespace
order by attribute.attnum`;

/**
 * Reads a table's shape; `null` where there is no such table.
 *
 * @param zone In which the app writes times without a zone. Default: the one in which its own `now()` does,
 *   which is the session's, for Tandem sets none: the role's or the database's, or that of the app's own pool.
 */
export async function readTableShape(
  reader: Queryable,
  name: string,
  zone: string | null = null,
): Promise<TableShape | null> {
  const { rows } = await reader.query<ColumnRow>(SHAPE, [name]);
  const [first] = rows;
  if (first === undefined) return null;
  const isTimed = rows.some(({ builtin }) => WITHOUT_ZONE.has(builtin ?? ""));
  const wall = isTimed ? clockOf(zone ?? first.zone, name) : null;
  return {
    oid: first.oid,
    kind: first.kind,
    ruled: first.ruled,
    inherited: first.inherited,
    quoted: `${quoteIdentifier(first.schema)}.${quoteIdentifier(first.table)}`,
    columns: new Map(rows.map((row) => [row.column, columnFromRow(row, wall)])),
    selectList: rows.map(selected).join(", "),
  };
}

/**
 * Whether row security may hide rows of a table from us. `row_security_active` is false for owners,
 * superusers and whoever else may bypass it.
 */
export async function mayHideRows(reader: Queryable, { oid }: TableShape): Promise<boolean> {
  const { rows } = await reader.query<{ active: boolean }>(
    "select row_security_active($1::oid) as active",
    [oid],
  );
  return rows[0]?.active !== false;
}

function clockOf(zone: string, table: string): WallClock {
  try {
    return wallClock(zone);
  } catch {
    throw new MigrationError(
      "time_zone_unknown",
      `${table} keeps times without a zone, and the database's zone ${zone} is no name of one`,
      'Name the zone in which the app writes them in the configuration: timeZone: "Asia/Kolkata".',
    );
  }
}

/** Shapes that were read, for as long as the app's tables stay as they are. */
export class TableShapes {
  readonly #known = new Map<string, TableShape>();
  readonly #zone: string | null;

  /** @param zone In which the app writes times without a zone; `null`: as its own `now()` does. */
  constructor(zone: string | null = null) {
    this.#zone = zone;
  }

  /** @param patches Where one names a column that was missing when the table was read, it is read again. */
  async of(
    reader: Queryable,
    name: string,
    patches: readonly RowPatch[] = [],
  ): Promise<TableShape | null> {
    const known = this.#known.get(name);
    const needed = patches.flatMap((patch) => Object.keys(patch));
    if (known !== undefined && needed.every((column) => known.columns.has(column))) return known;
    const shape = await readTableShape(reader, name, this.#zone);
    if (shape !== null) this.#known.set(name, shape);
    return shape;
  }

  /** Forgets them all: a migration ran, or a table turned out to be different. */
  forget(): void {
    this.#known.clear();
  }
}

function columnFromRow(row: ColumnRow, wall: WallClock | null): Column {
  return {
    name: row.column,
    quoted: quoteIdentifier(row.column),
    type: row.type,
    builtin: row.builtin,
    isEnum: row.is_enum,
    element: row.is_array ? { builtin: row.element_builtin } : null,
    generated: row.generated,
    notNull: row.not_null,
    wall: WITHOUT_ZONE.has(row.builtin ?? "") ? wall : null,
  };
}

/** Arrays of the app's own types come as arrays of text, which a driver knows. */
function selected(row: ColumnRow): string {
  const quoted = quoteIdentifier(row.column);
  return row.array_oid === null || isParsedArray(Number(row.array_oid))
    ? quoted
    : `${quoted}::text[] as ${quoted}`;
}
