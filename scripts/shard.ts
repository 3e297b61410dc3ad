/** `--shard 2/3`: the second third of a long list, so that several runs share the work. */

/** The part that `text` names; all items if it is `undefined`. */
export function shardOf<T>(text: string | undefined, items: readonly T[]): readonly T[] {
  if (text === undefined) return items;
  const [, part = "0", parts = "0"] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(text) ?? [];
  if (part === "0" || Number(part) > Number(parts)) {
    throw new RangeError(`--shard "${text}" must be a part such as 1/3, 2/3 or 3/3`);
  }
  return items.filter((_, index) => index % Number(parts) === Number(part) - 1);
}
