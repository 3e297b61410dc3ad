/**
 * Collections whose writes can be taken back: what a transaction that fails leaves behind is
 * nothing. One transaction runs at a time, so one log serves them all.
 */

export class UndoLog {
  readonly #undo: (() => void)[] = [];

  /** Notes how to take back what is written next. */
  note(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** How much has been written: what a savepoint remembers. */
  get length(): number {
    return this.#undo.length;
  }

  commit(): void {
    this.#undo.length = 0;
  }

  /** Takes back everything, or what was written since a savepoint. */
  rollBack(savepoint = 0): void {
    while (this.#undo.length > savepoint) this.#undo.pop()?.();
  }
}

/** Taking back a removal changes the order, so nobody may rely on it. */
export class UndoableMap<Key, Value extends object | string> {
  readonly #log: UndoLog;
  readonly #entries = new Map<Key, Value>();

  constructor(log: UndoLog) {
    this.#log = log;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  values(): IterableIterator<Value> {
    return this.#entries.values();
  }

  set(key: Key, value: Value): void {
    this.#noteBefore(key);
    this.#entries.set(key, value);
  }

  delete(key: Key): void {
    if (!this.#entries.has(key)) return;
    this.#noteBefore(key);
    this.#entries.delete(key);
  }

  #noteBefore(key: Key): void {
    const was = this.#entries.get(key);
    this.#log.note(() => {
      if (was === undefined) this.#entries.delete(key);
      else this.#entries.set(key, was);
    });
  }
}

/** Items in the order they came. */
export class UndoableList<Item> {
  readonly #log: UndoLog;
  readonly #items: Item[] = [];

  constructor(log: UndoLog) {
    this.#log = log;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  append(item: Item): void {
    this.#log.note(() => this.#items.pop());
    this.#items.push(item);
  }

  /** Takes out the first so many. */
  take(count: number): readonly Item[] {
    const taken = this.#items.splice(0, count);
    this.#log.note(() => this.#items.unshift(...taken));
    return taken;
  }
}
