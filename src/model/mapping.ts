/** The two-way correspondence between a record's columns and a resource's fields. */
import type { Actor, Content, Json } from "./content.ts";
import type { EventId, LaneId } from "./ids.ts";
import type { Instant } from "./instant.ts";
import type { ResourceType } from "./observation.ts";

/** A row of the app's table by column name; bigints, decimals and times are text. */
export type Row = Readonly<Record<string, unknown>>;

/** Columns to write, by name. */
export type RowPatch = Readonly<Record<string, unknown>>;

export type ConflictPolicy = "field" | "record" | "resource-wins" | "record-wins";
export type InitialPolicy = "resource" | "record" | "newer";

/** How one column corresponds to one field. */
export interface FieldMapping {
  readonly column: string;
  readonly field: string;
  /** The column's value in the resource's terms. Absent for a reference, which only flows in. */
  readonly toResource: ((row: Row) => Json) | null;
  /** The field's value in the record's terms; `row` is `null` while a record is created. */
  readonly toRecord: ((value: Json, row: Row | null) => unknown) | null;
  /** The table whose row stands for the field's actor. */
  readonly references: string | null;
}

/** How the backfill recognises a record's counterpart: by equal fields, or by the resource's id in a column. */
export type PairingKey =
  | { readonly kind: "fields"; readonly fields: readonly string[] }
  | { readonly kind: "external_id"; readonly column: string };

/** One record type joined to one resource type. */
export interface Mapping {
  readonly recordType: string;
  /** The primary key's column. */
  readonly key: string;
  readonly integration: string;
  readonly resource: ResourceType;
  /** The column that selects the connection; `null` where the parent does. */
  readonly scopeColumn: string | null;
  readonly parent: { readonly column: string; readonly recordType: string } | null;
  readonly fields: readonly FieldMapping[];
  readonly conflict: ConflictPolicy;
  readonly initial: InitialPolicy;
  /** `null`: the backfill pairs no existing record with an existing resource. */
  readonly pairBy: PairingKey | null;
  readonly onResourceDeleted: "delete" | "archive" | "detach";
  readonly onRecordDeleted: "delete" | "close" | "detach";
  readonly softDelete: string | null;
  /** The app's own modified-at column; `null` if it has none. */
  readonly modifiedAt: string | null;
  /** The column that names the record's author; `null` if there is none. */
  readonly author: string | null;
}

/** A table whose own writes are kept in the ledger, with or without a mapping. */
export interface Journal {
  readonly recordType: string;
  readonly key: string;
  /** The columns whose changes are kept; `null`: all of them. */
  readonly columns: readonly string[] | null;
}

/** An actor that must become the key of a row before a record is written. */
export interface ActorReference {
  readonly column: string;
  readonly table: string;
  readonly actor: Actor | null;
}

/** A write to a record: plain values, and actors whose user rows are not resolved yet. */
export interface RecordWrite {
  readonly patch: RowPatch;
  readonly references: readonly ActorReference[];
}

/** A write to a row that the trigger has captured. */
export interface CapturedWrite {
  readonly operation: "insert" | "update" | "delete";
  /** The changed columns; none for an update that only notes that the record was restored. */
  readonly columns: readonly string[];
  readonly changedAt: Instant;
  /** The event by which Tandem wrote it; `null` for a write of the app. */
  readonly origin: EventId | null;
  /** The edit that this write merged: its lane, and the time of the edit by our clock. */
  readonly edit?: { readonly lane: LaneId; readonly at: Instant };
  readonly oldRow: Row | null;
}

/** The names of the mapped fields. */
export function mappedFields(mapping: Mapping): readonly string[] {
  return mapping.fields.map((field) => field.field);
}

/** The columns whose change matters to the mapping. */
export function mappedColumns(mapping: Mapping): readonly string[] {
  const columns = mapping.fields.map((field) => field.column);
  if (mapping.softDelete !== null) columns.push(mapping.softDelete);
  if (mapping.scopeColumn !== null) columns.push(mapping.scopeColumn);
  if (mapping.parent !== null) columns.push(mapping.parent.column);
  return [...new Set(columns)];
}

/** The column that decides which connection a record belongs to. */
export function placingColumn({ parent, scopeColumn }: Mapping): string | null {
  return parent?.column ?? scopeColumn;
}

/** Whether the record is marked as deleted. */
export function isSoftDeleted(mapping: Mapping, row: Row): boolean {
  const value = mapping.softDelete === null ? null : row[mapping.softDelete];
  return value !== null && value !== undefined;
}

export type { Content };
