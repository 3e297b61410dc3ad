/**
 * The names of things at GitHub in a history. A repository keeps its first name, even if it was renamed at
 * GitHub. A transferred issue and its comments get other names.
 */
import type { Id } from "../../github/world/index.ts";
import type { Site } from "./places.ts";

export class Names {
  /** Repositories by number, and by each name that they had. */
  readonly #sites = new Map<string, string>();
  /** Former names that other owners have taken. */
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, string>();

  /** A repository has a further name. */
  call({ repository, id }: Site, fullName: string): void {
    this.#sites.set(String(id), repository);
    this.#sites.set(fullName.toLowerCase(), repository);
  }

  /** Another owner's repository has taken a former name of one of ours. */
  giveUp(fullName: string): void {
    this.#sites.delete(fullName.toLowerCase());
    this.#taken.add(fullName.toLowerCase());
  }

  isTaken(fullName: string): boolean {
    return this.#taken.has(fullName.toLowerCase());
  }

  /** The first name of a repository; `null` if it is none of ours. */
  ofRepository(ref: Id | string): string | null {
    return this.#sites.get(String(ref).toLowerCase()) ?? null;
  }

  /** A thing was moved and has another name there. */
  take(from: string, to: string): void {
    this.#next.set(from, to);
  }

  /** The present name of a thing; each name is used once. */
  now(name: string): string {
    const next = this.#next.get(name);
    return next === undefined ? name : this.now(next);
  }
}
