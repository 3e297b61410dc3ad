/** Transactions and savepoints in memory. One transaction runs at a time, so one log serves all tables. */
export class UndoLog {
  readonly #undo: (() => void)[] = [];

  /** Notes how to take back what is written next. */
  note(undo: () => void): void {
    this.#undo.push(undo);
  }

  commit(): void {
    this.#undo.length = 0;
  }

  rollBack(): void {
    this.#rollBackTo(0);
  }

  /** Makes a savepoint; the function returned takes back what was written since. */
  savepoint(): () => void {
    const { length } = this.#undo;
    return () => {
      this.#rollBackTo(length);
    };
  }

  #rollBackTo(length: number): void {
    while (this.#undo.length > length) this.#undo.pop()?.();
  }
}
