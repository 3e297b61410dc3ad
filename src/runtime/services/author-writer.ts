/** The writer of a create: its author by a token of their own, or the account. */
import { BY_ACCOUNT, type Writer } from "../../engine/creates/index.ts";
import type { ContainerClient } from "../../integrations/integration.ts";
import type { InsteadOfAuthor } from "../../model/lane.ts";
import type { Row } from "../../model/mapping.ts";
import type { Contact } from "./directory-snapshot.ts";
import type { Claimed } from "./claimed.ts";

/** The user who wrote a record. */
export interface Author {
  /** The key of their row, as text. */
  readonly id: string;
  readonly row: Row;
}

/** The writer of a create, with the client that it takes. */
export interface Asked {
  /** The author for whom the app was asked, by the key of their row; `null` where it has no hook. */
  readonly author: string | null;
  readonly writer: Writer;
  /** The author's own; `null` where the account writes. */
  readonly client: ContainerClient | null;
  /** The reason for the account to write after a failed create of theirs; `null` for any other failure. */
  refused(thrown: unknown): InsteadOfAuthor | null;
}

/** Asks the app for an author's own token. */
export interface AuthorTokens {
  /** @throws IntegrationError that is retryable, where the integration cannot be asked who it is. */
  ask(claimed: Claimed, contact: Contact, author: Author): Promise<Asked>;
}

/** The account writes what this author wrote; by default, what anybody wrote. */
export function byAccount(
  author: string | null = null,
  instead: InsteadOfAuthor | null = null,
): Asked {
  const writer = instead === null ? BY_ACCOUNT : ({ kind: "account", instead } as const);
  return { author, writer, client: null, refused: () => null };
}

/**
 * The writer for the author that a record has now; `null` where the app is to be asked. The record may
 * have another one since it was asked, in whose name nothing may leave under the former's token.
 */
export function writerFor(asked: Asked | null, author: Author | null): Writer | null {
  if (author === null) return BY_ACCOUNT;
  if (asked === null) return null;
  return asked.author === null || asked.author === author.id ? asked.writer : null;
}
