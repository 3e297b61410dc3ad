/** Several writes as one statement: each statement has a price of its own, whatever it does. */

export interface Statement {
  readonly text: string;
  readonly params: readonly unknown[];
}

export interface Write extends Statement {
  /** The write's name in the statement that it becomes part of: one name, one text. */
  readonly name: string;
}

const texts = new Map<string, string>();

/**
 * Writes that need nothing of each other, each of a table of its own: Postgres carries them out in no
 * order, and none sees what another has written. Nothing where there are none.
 */
export function oneStatement(writes: readonly Write[]): readonly Statement[] {
  if (writes.length < 2) return writes;
  const names = writes.map(({ name }) => name).join();
  const text = texts.get(names) ?? composed(writes);
  texts.set(names, text);
  return [{ text, params: writes.flatMap(({ params }) => params) }];
}

function composed(writes: readonly Write[]): string {
  let before = 0;
  const parts = writes.map(({ name, text, params }) => {
    const shift = before;
    before += params.length;
    const numbered = text.replace(
      /\$(\d+)/g,
      (_, place: string) => `$${String(Number(place) + shift)}`,
    );
    return `${name} as (${numbered}\n)`;
  });
  return `with ${parts.join(",\n")}\nselect`;
}
