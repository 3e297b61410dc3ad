/** Ids, node ids and GUIDs as GitHub assigns them, and JSON with ids beyond 2^53. */
import type { Random } from "../../../model/clock.ts";

/** A numeric id; a `bigint` if a JavaScript number cannot hold it exactly. */
export type Id = number | bigint;

/** The values of a JSON document; `bigint` is written as a plain number. */
export type WireJson =
  null | boolean | number | bigint | string | readonly WireJson[] | WireJsonObject;
export interface WireJsonObject {
  readonly [key: string]: WireJson;
}

/** The kinds of objects that have numeric ids of their own. */
export type IdKind =
  | "user"
  | "repository"
  | "issue"
  | "comment"
  | "label"
  | "pull_request"
  | "hook"
  | "delivery"
  | "installation"
  | "request";

const FIRST_ID: Readonly<Record<IdKind, number>> = {
  user: 583_231,
  repository: 1_296_269,
  issue: 2_700_000_001,
  comment: 2_900_000_001,
  label: 208_045_946,
  pull_request: 1_900_000_001,
  hook: 109_948_940,
  delivery: 12_345_678_901,
  installation: 4_200_001,
  request: 1,
};

/** Assigns ids; each kind has a rising sequence of its own. */
export class IdSequences {
  readonly #next = new Map<IdKind, bigint>();

  take(kind: IdKind): Id {
    const id = this.#next.get(kind) ?? BigInt(FIRST_ID[kind]);
    this.#next.set(kind, id + 1n);
    return id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : id;
  }

  /** Makes `id` the next one of its kind. */
  startAt(kind: IdKind, id: Id): void {
    this.#next.set(kind, BigInt(id));
  }
}

/** A global node id: opaque to callers, and stable for each object. */
export function nodeId(prefix: string, id: Id): string {
  return `${prefix}_${Buffer.from(`${prefix}:${String(id)}`).toString("base64url")}`;
}

/** A UUID of version 4 from seeded randomness. */
export function randomGuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
  hex[12] = "4";
  hex[16] = (8 + Math.floor(random() * 4)).toString(16);
  const text = hex.join("");
  return [
    text.slice(0, 8),
    text.slice(8, 12),
    text.slice(12, 16),
    text.slice(16, 20),
    text.slice(20),
  ].join("-");
}

/** Letters and digits from seeded randomness, for tokens. */
export function alphanumericToken(random: Random, length: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length }, () => alphabet.charAt(Math.floor(random() * alphabet.length))).join(
    "",
  );
}

const BIG = "\u0001bigint:";
const BIG_IN_TEXT = /"\\u0001bigint:(-?\d+)"/g;

/** `JSON.stringify` that writes a `bigint` as digits, because ids beyond 2^53 are sent as numbers. */
export function writeJson(value: WireJson): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // JSON.stringify throws for a bigint. Catching that is far faster than looking for one in each value.
    if (!(error instanceof TypeError)) throw error;
  }
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "bigint" ? `${BIG}${String(part)}` : part,
  );
  return text.includes("bigint:") ? text.replaceAll(BIG_IN_TEXT, "$1") : text;
}
