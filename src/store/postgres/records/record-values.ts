/** A mapping's JavaScript values in the text form that Postgres reads for a column's type. */
import { tryParseInstant } from "../../../model/wall-clock.ts";
import { storableJson } from "../../database/index.ts";
import type { Column } from "../capture/index.ts";

/** The parameter for a value; `null` stands for SQL's null in every type, JSON's included. */
export function toParameter(value: unknown, column: Column): string | null {
  if (value === null || value === undefined) return null;
  if (isJson(column.builtin)) return storableJson(value);
  if (Array.isArray(value) && column.element !== null) {
    return arrayText(value, isJson(column.element.builtin));
  }
  const text = scalarText(value);
  // Postgres would drop the offset, and keep the time of UTC in place of the app's.
  const at = column.wall === null ? null : tryParseInstant(text);
  return at === null || column.wall === null ? text : column.wall.show(at);
}

function isJson(builtin: string | null): boolean {
  return builtin === "json" || builtin === "jsonb";
}

function scalarText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "number":
    case "bigint":
      return String(value);
    default:
      if (value instanceof Date) return value.toISOString();
      if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
      return storableJson(value);
  }
}

function arrayText(values: readonly unknown[], ofJson: boolean): string {
  const elements = values.map((value) => {
    if (value === null || value === undefined) return "null";
    if (Array.isArray(value) && !ofJson) return arrayText(value, ofJson);
    const text = ofJson ? storableJson(value) : scalarText(value);
    return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  });
  return `{${elements.join(",")}}`;
}
