/** How to address a repository on an account's server: by number, or by name only. */
import { addMillis, type Instant } from "../../../model/instant.ts";

/** How long "by name" is valid before it is decided again. */
const BY_NAME_MS = 60 * 60_000;

/** The forms of address that an account's server supports; all repositories of the account share it. */
export class Addressing {
  #isByNumber = false;
  #byNameSince: Instant | null = null;
  /** For "by name": the last name that led to each repository's id, and when it was looked up. */
  readonly lookedUp = new Map<string, { readonly name: string; readonly at: Instant }>();

  kindAt(now: Instant): "unknown" | "by_number" | "by_name" {
    if (this.#isByNumber) return "by_number";
    const since = this.#byNameSince;
    return since !== null && now < addMillis(since, BY_NAME_MS) ? "by_name" : "unknown";
  }

  /** The last known name of a repository that must be addressed by name. */
  nameAt(now: Instant, id: string): string | null {
    return this.kindAt(now) === "by_name" ? (this.lookedUp.get(id)?.name ?? null) : null;
  }

  noteNumber(): void {
    this.#isByNumber = true;
  }

  noteName(now: Instant): void {
    this.#byNameSince = now;
  }
}
