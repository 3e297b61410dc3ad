/** The captured writes that are still to be drained, in memory: taken in the order in which they were appended. */
import type { CapturedChange } from "../../store.ts";
import { recordKey } from "./lane-table.ts";
import { Table } from "./table.ts";
import type { UndoLog } from "./undo-log.ts";

interface KeptChange {
  /** Counts up; like a sequence, it takes no number back. */
  readonly seq: number;
  readonly change: CapturedChange;
}

export class ChangeTable {
  readonly #rows: Table<KeptChange, number, "record">;
  #count = 0;

  constructor(log: UndoLog) {
    this.#rows = new Table(log, {
      key: ({ seq }: KeptChange) => seq,
      indexes: { record: ({ change }: KeptChange) => recordKey(change) },
    });
  }

  get size(): number {
    return this.#rows.size;
  }

  append(change: CapturedChange): void {
    this.#count += 1;
    this.#rows.put({ seq: this.#count, change });
  }

  /** The oldest changes. */
  first(count: number): readonly CapturedChange[] {
    return this.#rows.first(count).map(({ change }) => change);
  }

  /** Removes the oldest changes, and returns them. */
  take(count: number): readonly CapturedChange[] {
    const taken = this.#rows.first(count);
    for (const { seq } of taken) this.#rows.delete(seq);
    return taken.map(({ change }) => change);
  }

  /** The changes of records, oldest first. */
  of(recordType: string, recordIds: readonly string[]): readonly CapturedChange[] {
    return [...new Set(recordIds)]
      .flatMap((recordId) => this.#rows.by("record", recordKey({ recordType, recordId })))
      .sort((a, b) => a.seq - b.seq)
      .map(({ change }) => change);
  }
}
