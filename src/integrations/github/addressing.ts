/** How an account's server is asked for a repository: by number, or by name only. */
import { addMillis, type Instant } from "../../model/instant.ts";

/** How long "by name" stands before it is decided again. */
const BY_NAME_MS = 60 * 60_000;

/** The forms of address that an account's server answers; shared by all repositories of the account. */
export class Addressing {
  #isByNumber = false;
  #byNameSince: Instant | null = null;
  /** When each repository's name was last seen to lead to its id; only by name. */
  readonly lookedUp = new Map<string, { readonly name: string; readonly at: Instant }>();

  kindAt(now: Instant): "unknown" | "by_number" | "by_name" {
    if (this.#isByNumber) return "by_number";
    const since = this.#byNameSince;
    return since !== null && now < addMillis(since, BY_NAME_MS) ? "by_name" : "unknown";
  }

  /** The last known name of a repository that has to be asked for by name. */
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
