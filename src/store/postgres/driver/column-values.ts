/**
 * How values come out of the database, the same for both drivers: what a JavaScript value holds
 * exactly is parsed, and all else stays the text that Postgres wrote.
 */
import pg from "pg";

type Parse = (text: string) => unknown;

const asText: Parse = (text) => text;
const asJson: Parse = (text) => JSON.parse(text);
const asBytes: Parse = (text) => new Uint8Array(Buffer.from(text.slice(2), "hex"));

/** Types whose values are not text, by the oid that is theirs in every Postgres. */
const SCALARS = new Map<number, Parse>([
  [16, (text) => text === "t"],
  [17, asBytes],
  [21, Number],
  [23, Number],
  [26, Number],
  [114, asJson],
  [700, Number],
  [701, Number],
  [3802, asJson],
]);

/** Array types that become arrays, with the type of their elements. */
const ELEMENTS = new Map<number, number>([
  [199, 114],
  [1000, 16],
  [1001, 17],
  [1005, 21],
  [1007, 23],
  [1009, 25],
  [1014, 1042],
  [1015, 1043],
  [1016, 20],
  [1021, 700],
  [1022, 701],
  [1028, 26],
  [1041, 869],
  [1115, 1114],
  [1182, 1082],
  [1183, 1083],
  [1185, 1184],
  [1187, 1186],
  [1231, 1700],
  [1270, 1266],
  [2951, 2950],
  [3807, 3802],
]);

/** How the text of a type is read. */
export function parserOf(oid: number): Parse {
  const element = ELEMENTS.get(oid);
  if (element === undefined) return SCALARS.get(oid) ?? asText;
  const parseElement = parserOf(element);
  return (text) => mapElements(parseTextArray(text), parseElement);
}

/** `pg` reads arrays of any dimensions; its own parsers of their elements are not wanted. */
const parseTextArray = (pg.types.getTypeParser as (oid: number) => Parse)(1009);

function mapElements(value: unknown, parse: Parse): unknown {
  if (Array.isArray(value)) return value.map((item) => mapElements(item, parse));
  return typeof value === "string" ? parse(value) : value;
}

/** Whether an array type comes out as an array; others are read as arrays of text. */
export function isParsedArray(oid: number): boolean {
  return ELEMENTS.has(oid);
}

/** Every type that a driver might parse in its own way. */
export const KNOWN_TYPES: readonly number[] = [
  ...SCALARS.keys(),
  ...ELEMENTS.keys(),
  ...[20, 25, 600, 718, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950],
];
