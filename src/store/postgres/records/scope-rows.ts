/** Whether a value can stand in a scope column: by the column's type, and by the row that it would refer to. */
import type { ScopeMisfit } from "../../../model/connection.ts";
import type { Queryable } from "../../database/index.ts";
import type { Column, TableShape } from "../capture/index.ts";
import { attempt } from "../driver/index.ts";
import { refusalOf } from "./refusals.ts";

/** Types that write each value in one way: other text for it is found in no row. */
const ONE_FORM = new Set(["int2", "int4", "int8", "uuid"]);

interface Target {
  readonly quoted: string;
  readonly column: string;
  readonly type: string;
  readonly name: string;
}

// A row that is hidden from us, or that we may not read, tells nothing; the constraint sees it all the same.
const TARGETS = `
select format('%I.%I', space.nspname, target.relname) as quoted,
  quote_ident(key.attname) as column,
  format_type(key.atttypid, -1) as type,
  target.relname as name
from pg_constraint as bond
join pg_attribute as own on own.attrelid = bond.conrelid and own.attnum = bond.conkey[1]
join pg_attribute as key on key.attrelid = bond.confrelid and key.attnum = bond.confkey[1]
join pg_class as target on target.oid = bond.confrelid
join pg_namespace as space on space.oid = target.relnamespace
where bond.contype = 'f' and bond.conparentid = 0 and cardinality(bond.conkey) = 1
  and bond.conrelid = $1::oid and own.attname = $2
  and has_schema_privilege(space.oid, 'usage') and has_table_privilege(target.oid, 'select')
  and not row_security_active(target.oid)`;

export async function misfitOfScope(
  tx: Queryable,
  shape: TableShape,
  column: Column,
  scope: string,
): Promise<ScopeMisfit | null> {
  const kept = await keptAs(tx, column, scope);
  if (kept === null) return { kind: "not_of_type", type: column.type };
  if (kept !== scope && ONE_FORM.has(column.builtin ?? "")) {
    return { kind: "written_otherwise", as: kept };
  }
  const { rows } = await tx.query<Target>(TARGETS, [shape.oid, column.name]);
  for (const target of rows) {
    const found = await tx.query<{ there: boolean }>(
      `select exists (
         select from ${target.quoted} where ${target.column} = $1::text::${target.type}
       ) as there`,
      [scope],
    );
    if (found.rows[0]?.there !== true) return { kind: "no_row", table: target.name };
  }
  return null;
}

/** How the column would show the value; `null` where it cannot hold it. */
async function keptAs(tx: Queryable, { type }: Column, scope: string): Promise<string | null> {
  try {
    const { rows } = await attempt(tx, () =>
      tx.query<{ kept: string }>(`select $1::text::${type}::text as kept`, [scope]),
    );
    return rows[0]?.kept ?? null;
  } catch (error) {
    if (refusalOf(error) === null) throw error;
    return null;
  }
}
