/**
 * Rows in memory: by their key, and by the values of secondary indexes.
 *
 * 1. A table declares its indexes in one place. A write moves the row in all of them.
 * 2. Every write can be taken back, with its place in the order and in the indexes (`undo-log.ts`).
 * 3. A row is replaced and never changed.
 */
import { ConstraintError } from "./constraint-error.ts";
import type { UndoLog } from "./undo-log.ts";

/** The value under which an index holds a row; `null`: the index does not hold it. */
export type IndexValue = string | true | null;

export interface TableOptions<Row, Key, Index extends string> {
  readonly key: (row: Row) => Key;
  readonly indexes?: Readonly<Record<Index, (row: Row) => IndexValue>>;
  /** The indexes in which a value has one row at most. */
  readonly unique?: readonly NoInfer<Index>[];
}

interface Entry<Row> {
  readonly row: Row;
  /** Counts insertions: rows are read in this order. */
  readonly place: number;
  /** By index, in their order. */
  readonly values: readonly IndexValue[];
}

interface SecondaryIndex<Row, Key> {
  readonly name: string;
  readonly isUnique: boolean;
  readonly valueOf: (row: Row) => IndexValue;
  readonly rows: Map<string | true, Map<Key, Row>>;
}

export class Table<Row extends object, Key = string, Index extends string = never> {
  readonly #log: UndoLog;
  readonly #key: (row: Row) => Key;
  readonly #indexes: readonly SecondaryIndex<Row, Key>[];
  #entries = new Map<Key, Entry<Row>>();
  #inserted = 0;
  /** Taking back a removal puts a row behind later ones until the next read. */
  #isInOrder = true;

  constructor(log: UndoLog, { key, indexes, unique = [] }: TableOptions<Row, Key, Index>) {
    this.#log = log;
    this.#key = key;
    const declared: Readonly<Record<string, (row: Row) => IndexValue>> = indexes ?? {};
    const isUnique = new Set<string>(unique);
    this.#indexes = Object.entries(declared).map(([name, valueOf]) => ({
      name,
      isUnique: isUnique.has(name),
      valueOf,
      rows: new Map(),
    }));
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Row | undefined {
    return this.#entries.get(key)?.row;
  }

  /** All rows, in the order in which they were inserted; a row that was replaced keeps its place. */
  rows(): readonly Row[] {
    if (!this.#isInOrder) {
      const entries = [...this.#entries].sort(([, a], [, b]) => a.place - b.place);
      this.#entries = new Map(entries);
      this.#isInOrder = true;
    }
    return Array.from(this.#entries.values(), ({ row }) => row);
  }

  /** The first rows, in that order. */
  first(count: number): readonly Row[] {
    if (!this.#isInOrder) return this.rows().slice(0, count);
    const found: Row[] = [];
    for (const { row } of this.#entries.values()) {
      if (found.length >= count) break;
      found.push(row);
    }
    return found;
  }

  /** The rows that an index holds under a value, in no order. */
  by(name: Index, value: IndexValue): readonly Row[] {
    const rows = value === null ? undefined : this.#index(name).rows.get(value);
    return rows === undefined ? [] : [...rows.values()];
  }

  /** The row that a unique index holds under a value. */
  one(name: Index, value: IndexValue): Row | undefined {
    if (value === null) return undefined;
    return this.#index(name).rows.get(value)?.values().next().value;
  }

  /** Inserts a row. @throws ConstraintError if its key is taken, or a value of a unique index. */
  insert(row: Row): void {
    const key = this.#key(row);
    if (this.#entries.has(key)) throw new ConstraintError("23505", `key ${String(key)} is taken`);
    this.put(row);
  }

  /** Inserts or replaces rows of different keys together, so they may exchange values of unique indexes. */
  put(...rows: readonly Row[]): void {
    const written = rows.map((row) => {
      const key = this.#key(row);
      const before = this.#entries.get(key);
      const values = this.#indexes.map(({ valueOf }) => valueOf(row));
      return { key, before, after: { row, place: before?.place ?? (this.#inserted += 1), values } };
    });
    for (const { key, before } of written) this.#noteBefore(key, before);
    for (const { key, before, after } of written) this.#leave(key, before, after);
    for (const { key, after } of written) {
      this.#refuseTaken(key, after);
      this.#enter(key, after);
    }
  }

  delete(key: Key): void {
    const before = this.#entries.get(key);
    if (before === undefined) return;
    this.#noteBefore(key, before);
    this.#leave(key, before, undefined);
    this.#entries.delete(key);
  }

  deleteBy(name: Index, value: IndexValue): void {
    for (const row of this.by(name, value)) this.delete(this.#key(row));
  }

  #noteBefore(key: Key, before: Entry<Row> | undefined): void {
    this.#log.note(() => {
      const now = this.#entries.get(key);
      this.#leave(key, now, before);
      if (before === undefined) this.#entries.delete(key);
      else this.#enter(key, before);
      if (before !== undefined && now === undefined) this.#isInOrder = false;
    });
  }

  /** Removes a row from the indexes in which its value changes. */
  #leave(key: Key, from: Entry<Row> | undefined, to: Entry<Row> | undefined): void {
    if (from === undefined) return;
    this.#indexes.forEach(({ rows }, at) => {
      const value = from.values[at] ?? null;
      if (value === null || value === to?.values[at]) return;
      const others = rows.get(value);
      others?.delete(key);
      if (others?.size === 0) rows.delete(value);
    });
  }

  #enter(key: Key, to: Entry<Row>): void {
    this.#entries.set(key, to);
    this.#indexes.forEach(({ rows }, at) => {
      const value = to.values[at] ?? null;
      if (value === null) return;
      const present = rows.get(value);
      if (present === undefined) rows.set(value, new Map([[key, to.row]]));
      else present.set(key, to.row);
    });
  }

  #refuseTaken(key: Key, { values }: Entry<Row>): void {
    this.#indexes.forEach(({ name, isUnique, rows }, at) => {
      const value = values[at] ?? null;
      if (!isUnique || value === null) return;
      const [holder] = rows.get(value)?.keys() ?? [];
      if (holder === undefined || holder === key) return;
      // Another transaction wrote that row after this one looked: a retry finds it.
      const text = `${name} ${JSON.stringify(value)} is held by ${String(holder)} already`;
      throw new ConstraintError("40001", text);
    });
  }

  #index(name: Index): SecondaryIndex<Row, Key> {
    const index = this.#indexes.find((one) => one.name === name);
    if (index === undefined) throw new Error(`there is no index ${name}`);
    return index;
  }
}
