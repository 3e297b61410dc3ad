/**
 * Placeholders: rows of the app's users that Tandem made for authors nobody knew, and which row
 * stands for an author where there are several. Pure.
 *
 *   one row of somebody, whatever placeholders there are beside it    that row
 *   several rows of somebody                                          nobody can tell: all are named
 *   a placeholder alone                                               the placeholder
 *
 * A row is a placeholder for as long as it says what Tandem wrote in it and has no other login: one
 * that the app has made its own is somebody like any other.
 */
import { type Json, sameValue } from "./content.ts";
import type { Row } from "./mapping.ts";

/** A row that Tandem made, as it was made. */
export interface Placeholder {
  /** Its key in the app's table of users. */
  readonly recordId: string;
  readonly integration: string;
  /** Whom it was made for, in lower case. */
  readonly login: string;
  /** The columns that were written, its login apart. */
  readonly written: Readonly<Record<string, Json>>;
  /** The user it was connected to later, and whose its records are. */
  readonly linkedTo: string | null;
}

/** A user of the app. */
export interface UserRow {
  readonly id: string;
  readonly row: Row;
}

/** Who stands for an author, and the placeholders that do so no more. */
export type StandIn =
  | { readonly kind: "nobody" }
  | { readonly kind: "several"; readonly ids: readonly string[] }
  | { readonly kind: "user"; readonly id: string; readonly outlived: readonly Placeholder[] };

/**
 * Decides who stands for an author.
 *
 * @param users The rows that have the author's login, and those of `placeholders` that are there.
 * @param placeholders Those that were made for the author.
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

/** What is kept of a row that was made, to tell later whether the app has made it its own. */
export function writtenOf(row: Row, columns: readonly string[]): Placeholder["written"] {
  return Object.fromEntries(columns.map((column) => [column, asJson(row[column])]));
}

/** A row's login in lower case; `null` where it has none. */
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
