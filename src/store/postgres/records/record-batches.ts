/**
 * Many rows of an app's table in one statement each. A statement returns rows in no promised order, so
 * their keys distinguish them. The keys of new rows are drawn beforehand.
 */
import type { Row } from "../../../model/mapping.ts";
import type { Queryable } from "../../database/index.ts";
import type { Column, TableShape } from "../capture/index.ts";
import { quoteIdentifier } from "../driver/index.ts";
import { toParameter } from "./record-values.ts";

/** A row with its key as text. */
export interface KeyedRow {
  readonly id: string;
  readonly row: Row;
}

/** A patch in the form that statements take: each column with its value. */
export type Written = readonly (readonly [Column, unknown])[];

/** Statements on one table: how to run them, and what they return. */
export interface BatchTable {
  readonly shape: TableShape;
  readonly key: Column;
  /** The list after `returning`, which makes `run` return the key. */
  readonly returned: string;
  readonly run: (text: string, params: readonly unknown[]) => Promise<readonly KeyedRow[]>;
}

/** A statement takes 65,535 parameters at most. */
const PARAMETERS = 30_000;

// Asked each time: drawn from what was the default once, a key may be the app's own next one. An insert
// needs no privilege on an identity's sequence, and drawing from it does.
const INITIAL = `
select
  case
    when attribute.attidentity <> '' then (
      select format('nextval(%L::regclass)', sequence)
      from pg_get_serial_sequence($1::oid::regclass::text, attribute.attname) as sequence
      where has_sequence_privilege(sequence, 'usage')
    )
    when attribute.attgenerated = '' then pg_get_expr(given.adbin, given.adrelid)
  end as initial
from pg_attribute as attribute
left join pg_attrdef as given
  on given.adrelid = attribute.attrelid and given.adnum = attribute.attnum
where attribute.attrelid = $1::oid and attribute.attname = $2`;

/** Keys for so many new rows; `null` where the table, or its app, makes them with the row. */
export async function drawKeys(
  tx: Queryable,
  { oid }: TableShape,
  { name }: Column,
  count: number,
): Promise<readonly string[] | null> {
  const found = await tx.query<{ initial: string | null }>(INITIAL, [oid, name]);
  const initial = found.rows[0]?.initial ?? null;
  if (initial === null) return null;
  const { rows } = await tx.query<{ key: string }>(
    `select (${initial})::text as key from generate_series(1, $1::integer)`,
    [count],
  );
  return rows.map(({ key }) => key);
}

/** Inserts rows under the keys given; they come back by key. */
export async function insertKeyed(
  { shape, key, returned, run }: BatchTable,
  rows: readonly { readonly id: string; readonly written: Written }[],
): Promise<ReadonlyMap<string, Row>> {
  const inserted = new Map<string, Row>();
  for (const group of alike(rows)) {
    const [first] = group;
    if (first === undefined) continue;
    const columns = [key, ...first.written.map(([column]) => column)];
    const values = group.map((_, index) => tuple(index * columns.length, columns.length));
    const made = await run(
      `insert into ${shape.quoted} (${columns.map(({ quoted }) => quoted).join(", ")})
       overriding system value
       values ${values.join(", ")}
       returning ${returned}`,
      group.flatMap(({ id, written }) => [
        id,
        ...written.map(([column, value]) => toParameter(value, column)),
      ]),
    );
    for (const { id, row } of made) inserted.set(id, row);
  }
  return inserted;
}

/** Updates rows by key; they come back by key, without those that are not there. */
export async function updateKeyed(
  { shape, key, returned, run }: BatchTable,
  rows: readonly { readonly id: string; readonly written: Written }[],
): Promise<ReadonlyMap<string, Row>> {
  const updated = new Map<string, Row>();
  for (const group of alike(rows)) {
    const [first] = group;
    if (first === undefined) continue;
    const columns = [key, ...first.written.map(([column]) => column)];
    // Names that no column of an app has, so that the row's own need no qualification.
    const names = columns.map((_, index) => quoteIdentifier(`tandem.given_${String(index)}`));
    const values = group.map((_, index) =>
      tuple(index * columns.length, columns.length, (place) => `::${columns[place]?.type ?? ""}`),
    );
    const set = columns
      .slice(1)
      .map(({ quoted }, index) => `${quoted} = ${names[index + 1] ?? ""}`);
    const made = await run(
      `update ${shape.quoted}
       set ${set.join(", ")}
       from (values ${values.join(", ")}) as given (${names.join(", ")})
       where ${key.quoted} = ${names[0] ?? ""}
       returning ${returned}`,
      group.flatMap(({ id, written }) => [
        id,
        ...written.map(([column, value]) => toParameter(value, column)),
      ]),
    );
    for (const { id, row } of made) updated.set(id, row);
  }
  return updated;
}

/** `($1::bigint, $2::text)`, from the parameter behind `after` on. */
function tuple(after: number, width: number, cast: (place: number) => string = () => ""): string {
  const places = Array.from(
    { length: width },
    (_, place) => `$${String(after + place + 1)}${cast(place)}`,
  );
  return `(${places.join(", ")})`;
}

/** Rows that write the same columns, no more of them than fit into one statement. */
function alike<Item extends { readonly written: Written }>(
  rows: readonly Item[],
): readonly (readonly Item[])[] {
  const groups = new Map<string, Item[][]>();
  for (const row of rows) {
    const name = row.written.map(([column]) => column.quoted).join(", ");
    const room = Math.floor(PARAMETERS / (row.written.length + 1));
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    const last = group.at(-1);
    if (last === undefined || last.length === room) group.push([row]);
    else last.push(row);
  }
  return [...groups.values()].flat();
}
