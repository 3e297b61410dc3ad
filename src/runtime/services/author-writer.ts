/** The writer of a create: its author by a token of their own, or the account. */
import { BY_ACCOUNT, type Writer } from "../../engine/creates/index.ts";
import type { ContainerClient } from "../../integrations/integration.ts";
import type { InsteadOfAuthor } from "../../model/lane.ts";
import type { Row } from "../../model/mapping.ts";
import type { Contact } from "./directory-snapshot.ts";
import type { Claimed } from "./claimed.ts";

/** The user who wrote a record. */
export interface Author {
  /** The key of the user's row, as text. */
  readonly id: string;
  readonly row: Row;
}

/** The writer of a create, with the client to use. */
export interface Asked {
  /** The key of the author for whom the app was asked; `null` if the app has no hook. */
  readonly author: string | null;
  readonly writer: Writer;
  /** The author's own client; `null` if the account writes. */
  readonly client: ContainerClient | null;
  /** Why the account must write after the author's create failed; `null` if the failure is no refusal of the token. */
  refused(thrown: unknown): InsteadOfAuthor | null;
}

/** Asks the app for an author's own token. */
export interface AuthorTokens {
  /** @throws IntegrationError (retryable) if the integration cannot be asked for the token's user. */
  ask(claimed: Claimed, contact: Contact, author: Author): Promise<Asked>;
}

/** The account as writer for this author; by default, for any author. */
export function byAccount(
  author: string | null = null,
  instead: InsteadOfAuthor | null = null,
): Asked {
  const writer = instead === null ? BY_ACCOUNT : ({ kind: "account", instead } as const);
  return { author, writer, client: null, refused: () => null };
}

/**
 * The writer for the record's present author; `null` if the app must be asked. The author may have changed since it
 * was asked, and nothing may be sent for one author under another's token.
 */
export function writerFor(asked: Asked | null, author: Author | null): Writer | null {
  if (author === null) return BY_ACCOUNT;
  if (asked === null) return null;
  return asked.author === null || asked.author === author.id ? asked.writer : null;
}
