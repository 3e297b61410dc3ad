/** Groups items by a key; groups and items keep their order. */
export function groupBy<T>(
  items: readonly T[],
  key: (item: T) => string,
): readonly (readonly T[])[] {
  return [...mapBy(items, key).values()];
}

/** Groups items by a key, as a map. */
export function mapBy<T>(
  items: readonly T[],
  key: (item: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}
