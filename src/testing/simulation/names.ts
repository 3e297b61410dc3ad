/**
 * What things at GitHub are called in a history. A repository keeps the name that it began with, whatever
 * people call it by now; an issue that is transferred, and its comments, get other names.
 */
import type { Id } from "../github/identifiers.ts";
import type { Site } from "./places.ts";

export class Names {
  /** By their numbers, and by every name that they had. */
  readonly #sites = new Map<string, string>();
  /** Names that others have by now. */
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, string>();

  /** A repository has a name by now. */
  call({ repository, id }: Site, fullName: string): void {
    this.#sites.set(String(id), repository);
    this.#sites.set(fullName.toLowerCase(), repository);
  }

  /** Somebody else's repository has a name that one of ours had. */
  giveUp(fullName: string): void {
    this.#sites.delete(fullName.toLowerCase());
    this.#taken.add(fullName.toLowerCase());
  }

  isTaken(fullName: string): boolean {
    return this.#taken.has(fullName.toLowerCase());
  }

  /** The name that a repository began with; `null` where it is none of ours. */
  ofRepository(ref: Id | string): string | null {
    return this.#sites.get(String(ref).toLowerCase()) ?? null;
  }

  /** A thing was taken elsewhere, and is called otherwise there. */
  take(from: string, to: string): void {
    this.#next.set(from, to);
  }

  /** What a thing is called by now; no name is given twice. */
  now(name: string): string {
    const next = this.#next.get(name);
    return next === undefined ? name : this.now(next);
  }
}
