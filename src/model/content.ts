/**
 * The content of a resource: its fields in the resource's own terms, in one canonical form, so that a comparison
 * gives the same result on both sides and after any number of round trips.
 */
import { hash } from "node:crypto";

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Field values by field name. An absent field was not seen, which differs from a field that is `null`. */
export type Content = Readonly<Record<string, Json>>;

/**
 * How a field's values compare.
 * - `line`: one line of text; surrounding white space does not count.
 * - `text`: text of many lines; `null` and empty are the same.
 * - `value`: anything else, compared as it is.
 * - `set`: a set of strings; order and repetition do not count, and both sides' changes merge.
 * - `actor`: a user at the integration, `{ id, login }`, compared by id.
 */
export type FieldKind = "line" | "text" | "value" | "set" | "actor";

export interface FieldSpec {
  readonly kind: FieldKind;
  /** Whether Tandem can change the field at the integration. */
  readonly writable: boolean;
  /** Whether a create can carry the field; `false` if only a later change can set it. Default: `true`. */
  readonly settableOnCreate?: boolean;
  /** The value of a new resource in a field that a create cannot carry, if that is certain. */
  readonly createdAs?: Json;
}

export type FieldSpecs = Readonly<Record<string, FieldSpec>>;

/** A user at an integration. */
export interface Actor {
  /** The id that survives a rename, as text. */
  readonly id: string;
  readonly login: string;
}

/**
 * Puts content into its canonical form, field by field; fields without a spec are left out.
 *
 * @example canonical({ body: "a\r\nb" }, { body: { kind: "text", writable: true } }) // { body: "a\nb" }
 */
export function canonical(content: Content, specs: FieldSpecs): Content {
  const result: Record<string, Json> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const value = content[name];
    if (value !== undefined) result[name] = canonicalValue(value, spec.kind);
  }
  return result;
}

/** The canonical form of one value. */
export function canonicalValue(value: Json, kind: FieldKind): Json {
  switch (kind) {
    case "line":
      return typeof value === "string"
        ? storableText(value)
            .replaceAll(/\s+/g, (blank) => (blank.includes("\n") ? " " : blank))
            .trim()
        : value;
    case "text":
      return value === null ? "" : typeof value === "string" ? storableText(value) : value;
    case "set":
      return isStringArray(value) ? [...new Set(value.map(storableText))].sort() : value;
    case "value":
    case "actor":
      return storable(value);
  }
}

function storable(value: Json): Json {
  if (typeof value === "string") return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [storableText(key), storable(item)]),
  );
}

/** Line ends become LF. Characters that Postgres or UTF-8 cannot hold (NUL, lone surrogates) become U+FFFD. */
export function storableText(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "\n")
    .replaceAll("\0", "\uFFFD")
    .toWellFormed();
}

/** Whether two values are equal. Both must be canonical. */
export function sameValue(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  if (isActor(a) && isActor(b)) return a.id === b.id;
  return stableJson(a) === stableJson(b);
}

/** `content`, with unseen fields filled from `before`. */
export function seenOver(before: Content | null, content: Content): Content {
  return before === null ? content : { ...before, ...content };
}

/** A change of a set by its elements, which leaves all other elements as they are. */
export interface SetChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Changes of sets by their fields. */
export type SetChanges = Readonly<Record<string, SetChange>>;

/** The named fields that the content has. */
export function pick(content: Content, fields: readonly string[]): Content {
  const result: Record<string, Json> = {};
  for (const field of fields) {
    const value = content[field];
    if (value !== undefined) result[field] = value;
  }
  return result;
}

/** A short fingerprint of canonical content: equal exactly if the content is equal. */
export function digest(content: Content): string {
  return hash("sha256", stableJson(content), "base64url").slice(0, 22);
}

function stableJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    if (isActor(value)) return JSON.stringify({ actor: value.id });
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${stableJson(item)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** Whether a value is an actor: an object with an id and a login. */
export function isActor(
  value: Json | undefined,
): value is { readonly id: string; readonly login: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    "login" in value &&
    typeof value.id === "string" &&
    typeof value.login === "string"
  );
}

/** Whether a value is an array of strings. */
export function isStringArray(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
