/**
 * Placeholders: rows of the app's user table that Tandem made for unknown authors, and which row represents an
 * author if there are several. Pure.
 *
 *   one user's row, with any number of placeholders    the user's row
 *   several users' rows                                ambiguous: all are named
 *   only a placeholder                                 the placeholder
 *
 * A row is a placeholder as long as it has the values that Tandem wrote and no other login. A row that the app has
 * changed is a user like any other.
 */
import { type Json, sameValue } from "./content.ts";
import type { Row } from "./mapping.ts";

/** A row that Tandem made, with its original values. */
export interface Placeholder {
  /** Its key in the app's table of users. */
  readonly recordId: string;
  readonly integration: string;
  /** The author for whom it was made, in lower case. */
  readonly login: string;
  /** The columns that were written, without the login. */
  readonly written: Readonly<Record<string, Json>>;
  /** The user to whom it was linked later, and to whom its records belong now. */
  readonly linkedTo: string | null;
}

/** A user of the app. */
export interface UserRow {
  readonly id: string;
  readonly row: Row;
}

/** The user row that represents an author, and the placeholders that no longer do. */
export type StandIn =
  | { readonly kind: "nobody" }
  | { readonly kind: "several"; readonly ids: readonly string[] }
  | { readonly kind: "user"; readonly id: string; readonly outlived: readonly Placeholder[] };

/**
 * Decides which user row represents an author.
 *
 * @param users The rows with the author's login, and the existing rows of `placeholders`.
 * @param placeholders The placeholders that were made for the author.
 * @param login The author's login in lower case.
 */
export function standInFor(
  login: string,
  loginColumn: string,
  users: readonly UserRow[],
  placeholders: readonly Placeholder[],
): StandIn {
  const still = placeholders.filter((placeholder) => {
    const user = users.find(({ id }) => id === placeholder.recordId);
    return user !== undefined && isStill(placeholder, user.row, loginColumn);
  });
  const named = users.filter(({ row }) => loginOf(row, loginColumn) === login);
  const known = named.filter(({ id }) => !still.some(({ recordId }) => recordId === id));
  const [first] = known.length > 0 ? known : named;
  if (first === undefined) return { kind: "nobody" };
  if (known.length > 1) return { kind: "several", ids: known.map(({ id }) => id) };
  return { kind: "user", id: first.id, outlived: known.length === 0 ? [] : still };
}

/** The values of a new placeholder row, to recognise later whether the app has changed it. */
export function writtenOf(row: Row, columns: readonly string[]): Placeholder["written"] {
  return Object.fromEntries(columns.map((column) => [column, asJson(row[column])]));
}

/** A row's login in lower case; `null` if it has none. */
export function loginOf(row: Row, loginColumn: string): string | null {
  const login = row[loginColumn];
  return typeof login === "string" && login !== "" ? login.toLowerCase() : null;
}

function isStill({ login, written }: Placeholder, row: Row, loginColumn: string): boolean {
  const present = loginOf(row, loginColumn);
  if (present !== null && present !== login) return false;
  return Object.entries(written).every(([column, value]) => sameValue(asJson(row[column]), value));
}

function asJson(value: unknown): Json {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as Json);
}
