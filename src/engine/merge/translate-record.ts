/** Translation between a record's columns and a resource's fields. Pure, apart from the mapping's functions. */
import { canonical, type Content, isActor, type Json } from "../../model/content.ts";
import type { ActorReference, Mapping, RecordWrite, Row } from "../../model/mapping.ts";
import type { PlannedField } from "./plan.ts";

/** A mapping's function threw, or returned a value that no resource can hold. */
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

/** A record in the resource's terms, canonical. Fields that are only read are absent. */
export function recordContent(mapping: Mapping, row: Row): Content {
  const content: Record<string, Json> = {};
  for (const { column, field, toResource } of mapping.fields) {
    if (toResource === null) continue;
    content[field] = guarded(column, field, () => toResource(row));
  }
  return canonical(content, mapping.resource.fields);
}

/** The columns to write so that the record takes the given fields. */
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

/** The mapping's fields as input of the planner. */
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
 * The record's content, or `null` if the mapping throws or its result cannot be compared. One such row must not
 * stop a drain or a sweep: the record's own event reports the error.
 */
export function contentOrNull(mapping: Mapping, row: Row): Content | null {
  try {
    return recordContent(mapping, row);
  } catch {
    return null;
  }
}
