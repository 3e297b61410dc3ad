/** Between a record's columns and a resource's fields, by the mapping; pure but for its functions. */
import { canonical, type Content, isActor, type Json } from "../../model/content.ts";
import type { ActorReference, Mapping, RecordWrite, Row } from "../../model/mapping.ts";
import type { PlannedField } from "./plan.ts";

/** A mapping's function threw, or gave what no resource can hold. */
export class MappingError extends Error {
  override readonly name = "MappingError";
  readonly column: string;
  readonly field: string;

  constructor(column: string, field: string, cause: unknown) {
    super(`the mapping of ${column} to ${field} failed`, { cause });
    this.column = column;
    this.field = field;
  }
}

/** A record in the resource's terms, canonical. What only flows in is absent. */
export function recordContent(mapping: Mapping, row: Row): Content {
  const content: Record<string, Json> = {};
  for (const { column, field, toResource } of mapping.fields) {
    if (toResource === null) continue;
    content[field] = guarded(column, field, () => toResource(row));
  }
  return canonical(content, mapping.resource.fields);
}

/** What to write to the record so that it takes the fields. */
export function recordWrite(mapping: Mapping, taken: Content, row: Row | null): RecordWrite {
  const patch: Record<string, unknown> = {};
  const references: ActorReference[] = [];
  for (const { column, field, toRecord, references: table } of mapping.fields) {
    const value = taken[field];
    if (value === undefined) continue;
    if (table !== null) {
      references.push({ column, table, actor: isActor(value) ? value : null });
    } else if (toRecord !== null) {
      patch[column] = guarded(column, field, () => toRecord(value, row));
    }
  }
  return { patch, references };
}

/** The mapping's fields as the planner wants them. */
export function plannedFields(mapping: Mapping): readonly PlannedField[] {
  return mapping.fields.flatMap(({ field, toResource }) => {
    const spec = mapping.resource.fields[field];
    if (spec === undefined) return [];
    const { kind, createdAs } = spec;
    const writable = spec.writable && toResource !== null;
    return [{ name: field, kind, writable, ...(createdAs !== undefined && { createdAs }) }];
  });
}

function guarded<T>(column: string, field: string, translate: () => T): T {
  try {
    return translate();
  } catch (cause) {
    throw new MappingError(column, field, cause);
  }
}

/**
 * The same, or `null` where the mapping throws or gives what cannot be compared. One such row must stop
 * neither a drain nor a sweep: the record's own event will say so.
 */
export function contentOrNull(mapping: Mapping, row: Row): Content | null {
  try {
    return recordContent(mapping, row);
  } catch {
    return null;
  }
}
