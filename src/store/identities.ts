/** Which rows of the app stand for actors, and placeholders that are connected to users later. */
import type { Actor } from "../model/content.ts";
import type { EventId } from "../model/ids.ts";
import type { Instant } from "../model/instant.ts";
import type { RowPatch } from "../model/mapping.ts";

/** Which row of the app stands for an actor. */
export interface IdentitySettings {
  readonly table: string;
  /** The table's primary key. */
  readonly key: string;
  /** The column that holds an actor's login, by integration. */
  readonly login: Readonly<Record<string, string>>;
  readonly unknown: "null" | "placeholder" | "error";
  /** The columns of a placeholder beside its login. */
  readonly placeholder: (actor: Actor) => RowPatch;
}

/** The records of a placeholder are to be a user's. */
export interface Link {
  readonly id: string;
  readonly integration: string;
  /** The login of both, in lower case. */
  readonly login: string;
  readonly placeholderId: string;
  readonly userId: string;
  /** No actor resolves to the placeholder any more. */
  readonly connected: boolean;
  /** How often it was claimed. */
  readonly attempts: number;
}

/** Links connect placeholders to users; keys are those of the table of the identities. */
export interface LinkStore {
  /** Finds the links that writes to these users call for: each user is to replace their placeholders. */
  find(userIds: readonly string[]): Promise<readonly Omit<Link, "id" | "connected" | "attempts">[]>;
  /** Adds links; a link that exists already becomes due immediately. */
  add(links: Awaited<ReturnType<LinkStore["find"]>>): Promise<void>;
  /** Claims the link that waits longest; no other claim returns it before `until`. */
  claim(until: Instant): Promise<Link | null>;
  /**
   * Gives the author to the user: from the commit on, whoever resolves them gets the user, and no
   * transaction is under way that got the placeholder. The placeholder's row gives its login up, if
   * its table allows.
   *
   * `busy`: the app holds the placeholder's row. `outlived`: it is no link any more.
   */
  connect(link: Link, origin: EventId): Promise<"connected" | "busy" | "outlived">;
  again(id: string, runAt: Instant): Promise<void>;
  done(id: string): Promise<void>;
}
