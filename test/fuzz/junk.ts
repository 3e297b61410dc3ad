/**
 * Odd values, and the ways in which a valid document becomes odd: values swapped, taken away, nested, repeated or made long.
 *
 * A long or deep value is written as a short mark, which `expand` unfolds in the JSON text, so that a failing input
 * can be read: `@repeat 70000 x@`, `@deep 5000@`, and `@digits 6000@` and `@letters 6000@`, which do not compress.
 */
import fc from "fast-check";
import type { Json } from "../../src/model/content.ts";
import { seededRandom } from "../../src/testing/random.ts";

const PIECES = [
  "x",
  " ",
  "\\n",
  "\\u0000",
  "\\ud800",
  "<!-- tandem:a -->",
  ">",
  "9",
  "é",
  "/pull/1",
];

/** Texts that programs stumble over. */
export const ODD_TEXTS: readonly string[] = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "\udfff\ud800",
  "\u2028",
  "\ufeff",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "null",
  "-1",
  "1.5",
  "1e3",
  "0x10",
  "٣",
  "9".repeat(40),
  "99999999999999999999",
  "9223372036854775808",
  "javascript:alert(1)",
  "https://user:secret@example.com/a",
  "http://[",
  "2026-13-45T99:99:99Z",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "2026-01-01T00:00:00+99:99",
  "2026-02-30T00:00:00Z",
  "infinity",
  "'; drop table tasks; --",
  "<!-- tandem:abc -->",
  "<!-- tandem-author -->",
  "\r\n\r",
  "${env}",
  "../../etc/passwd",
];

const oddNumber = fc.constantFrom(
  ...[0, -0, -1, 0.5, 1, 42, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 1e21, 1e308, -1e308, 5e-324],
);

const longText = fc
  .tuple(fc.constantFrom(100, 3_000, 70_000, 300_000), fc.constantFrom(...PIECES))
  .map(([times, piece]) => `@repeat ${String(times)} ${piece}@`);

/** An entry of an index takes 2,700 bytes, after compression. */
const incompressible = fc.constantFrom("@digits 9000@", "@letters 6000@", "@letters 300@");

const deepValue = fc.constantFrom(10, 1_000, 20_000).map((depth) => `@deep ${String(depth)}@`);

export const oddText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...ODD_TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  { weight: 1, arbitrary: longText },
  { weight: 1, arbitrary: incompressible },
);

export const oddValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: oddText },
  { weight: 2, arbitrary: oddNumber },
  { weight: 2, arbitrary: fc.constantFrom<Json[]>(null, true, false, [], {}, [null], [[]]) },
  { weight: 1, arbitrary: deepValue },
  { weight: 1, arbitrary: fc.array(oddText, { maxLength: 4 }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.constantFrom("id", "login", "name", "__proto__"), oddText),
  },
);

export type Mutation =
  | { readonly kind: "set"; readonly at: number; readonly value: unknown }
  | { readonly kind: "drop" | "double" | "wrap"; readonly at: number }
  | { readonly kind: "swap"; readonly at: number; readonly with: number }
  | { readonly kind: "add"; readonly at: number; readonly name: string; readonly value: unknown };

const place = fc.nat({ max: 9_999 });

function mutation(value: fc.Arbitrary<unknown>): fc.Arbitrary<Mutation> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("set" as const), at: place, value }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom("drop", "double", "wrap"), at: place }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("swap" as const), at: place, with: place }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("add" as const),
        at: place,
        name: fc.constantFrom("__proto__", "constructor", "toString", "extra", "pull_request"),
        value,
      }),
    },
  );
}

/** A document that was valid, after up to four mutations; often after none. */
export function mutated<Document>(document: fc.Arbitrary<Document>): fc.Arbitrary<unknown> {
  return fc.tuple(document, mutations(oddValue)).map(([valid, changes]) => mutate(valid, changes));
}

export function mutations(value: fc.Arbitrary<unknown>): fc.Arbitrary<readonly Mutation[]> {
  return fc.array(mutation(value), { maxLength: 4, size: "max" });
}

/** A copy of the document with the mutations applied in their order. */
export function mutate(document: unknown, changes: readonly Mutation[]): unknown {
  return changes.reduce<unknown>((changed, one) => applied(changed, one), copied(document));
}

type Container = Record<string, unknown> | unknown[];

function applied(document: unknown, mutation: Mutation): unknown {
  const places = placesIn(document);
  const chosen = places[mutation.at % Math.max(1, places.length)];
  if (chosen === undefined) return mutation.kind === "set" ? copied(mutation.value) : document;
  const { parent, key } = chosen;
  const value = valueAt(parent, key);
  switch (mutation.kind) {
    case "set":
      put(parent, key, copied(mutation.value));
      break;
    case "drop":
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else Reflect.deleteProperty(parent, key);
      break;
    case "double":
      put(parent, key, [value, value]);
      break;
    case "wrap":
      put(parent, key, { value });
      break;
    case "swap": {
      const other = places[mutation.with % places.length];
      if (other === undefined) break;
      put(parent, key, copied(valueAt(other.parent, other.key)));
      break;
    }
    case "add": {
      const owner = isContainer(value) && !Array.isArray(value) ? value : parent;
      if (!Array.isArray(owner)) put(owner, mutation.name, copied(mutation.value));
      break;
    }
  }
  return document;
}

/** Every place of a document that holds a value, parents before their children. */
function placesIn(document: unknown): { readonly parent: Container; readonly key: string }[] {
  if (!isContainer(document)) return [];
  return Object.keys(document).flatMap((key) => [
    { parent: document, key },
    ...placesIn(valueAt(document, key)),
  ]);
}

function isContainer(value: unknown): value is Container {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Plain objects and arrays are copied; functions and instances stay what they are. */
function copied(value: unknown): unknown {
  if (!isContainer(value)) return value;
  if (Array.isArray(value)) return value.map(copied);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) put(copy, key, copied(valueAt(value, key)));
  return copy;
}

function valueAt(parent: Container, key: string): unknown {
  return Object.getOwnPropertyDescriptor(parent, key)?.value;
}

/** Also `__proto__` becomes a property like any other, as `JSON.parse` makes it. */
function put(parent: Container, key: string, value: unknown): void {
  Object.defineProperty(parent, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** JSON text of a document, its marks unfolded. */
export function textOf(document: unknown): string {
  return expand(JSON.stringify(document));
}

export function expand(text: string): string {
  return text
    .replaceAll(/@digits (\d+)@/g, (_, length: string) => `7${noise("0123456789", length)}`)
    .replaceAll(/@letters (\d+)@/g, (_, length: string) => noise(LETTERS, length))
    .replaceAll(
      /"@deep (\d+)@"/g,
      (_, depth: string) => "[".repeat(Number(depth)) + "]".repeat(Number(depth)),
    )
    .replaceAll(/@repeat (\d+) ([^@]*)@/g, (_, times: string, piece: string) =>
      // JSON.stringify has escaped the piece's backslashes once more.
      piece.replaceAll("\\\\", "\\").repeat(Number(times)),
    );
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The same each time, so that an input tells the same story. */
function noise(alphabet: string, length: string): string {
  const random = seededRandom(1);
  const draw = () => alphabet.charAt(Math.floor(random() * alphabet.length));
  return Array.from({ length: Number(length) }, draw).join("");
}
