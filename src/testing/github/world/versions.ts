/** Values by key with all their versions, so that a read can return an earlier one. */
import type { Instant } from "../../../model/instant.ts";

interface Version<V> {
  readonly at: Instant;
  readonly value: V;
}

/** The number of versions that are kept; stale reads go back seconds, not days. */
const KEPT_VERSIONS = 200;

/**
 * A map with history. A value is never removed: a newer version marks it as deleted, since GitHub also
 * keeps deleted objects.
 *
 * @example
 * issues.set(7, opened, nine);
 * issues.set(7, closed, ten);
 * issues.get(7, nine) // opened
 */
export class VersionedMap<K, V> {
  readonly #versions = new Map<K, Version<V>[]>();

  set(key: K, value: V, at: Instant): void {
    const versions = this.#versions.get(key);
    if (versions === undefined) {
      this.#versions.set(key, [{ at, value }]);
      return;
    }
    versions.push({ at, value });
    if (versions.length > KEPT_VERSIONS) versions.shift();
  }

  /** The value at a time, by default now; `undefined` before its first version. */
  get(key: K, asOf: Instant | null = null): V | undefined {
    const versions = this.#versions.get(key);
    return versions === undefined ? undefined : valueAt(versions, asOf);
  }

  /** All values at a time, in the order in which their keys were added. */
  *values(asOf: Instant | null = null): Generator<V> {
    for (const versions of this.#versions.values()) {
      const value = valueAt(versions, asOf);
      if (value !== undefined) yield value;
    }
  }
}

function valueAt<V>(versions: readonly Version<V>[], asOf: Instant | null): V | undefined {
  if (asOf === null) return versions.at(-1)?.value;
  return versions.findLast((version) => version.at <= asOf)?.value;
}
