/** Keys and scope values as the text by which they are compared. */

/** A key or scope value as text; the store returns large numbers as text already. Empty if the value is null. */
export function keyText(value: unknown): readonly string[] {
  switch (typeof value) {
    case "string":
      return [value];
    case "number":
    case "bigint":
    case "boolean":
      return [value.toString()];
    default:
      return value === null || value === undefined ? [] : [JSON.stringify(value)];
  }
}
