/** Attribution: the line that names a record's author above a text that the account posts in the author's place. */
import type { Context } from "../../engine/lane/index.ts";
import type { Mapping, Row } from "../../model/mapping.ts";
import { loginOf } from "../../model/placeholder.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Author, Services } from "../services/index.ts";
import { HookError } from "../settings/index.ts";
import { keyText } from "../records/index.ts";

/** The record's author; `null` if there is none, or if it is our own account. */
export async function authorOf(
  tx: StoreTransaction,
  row: Row | null,
  { mapping, identity }: Pick<Context, "mapping" | "identity">,
  { identities }: Pick<Services, "identities">,
): Promise<Author | null> {
  if (row === null || mapping.author === null || identities === null) return null;
  const [id] = keyText(row[mapping.author]);
  const user = id === undefined ? null : await tx.records.user(id);
  if (id === undefined || user === null) return null;
  const loginColumn = identities.login[mapping.integration];
  const login = loginColumn === undefined ? null : loginOf(user, loginColumn);
  if (login !== null && login === identity?.login.toLowerCase()) return null;
  return { id, row: user };
}

/** The attribution line; `null` if there is no author or no name. */
export function attributionOf(
  author: Author | null,
  { mapping }: Pick<Context, "mapping">,
  { identities, authors }: Pick<Services, "identities" | "authors">,
): string | null {
  if (author === null) return null;
  const { row: user } = author;
  if (authors.attribution !== null) return askApp(authors.attribution, user, mapping);
  const loginColumn = identities?.login[mapping.integration];
  const name = textOf(user.name) ?? (loginColumn === undefined ? null : textOf(user[loginColumn]));
  return name === null ? null : `**${asPlainText(name)}** wrote:`;
}

function askApp(
  attribution: (user: Row) => string | null,
  user: Row,
  mapping: Mapping,
): string | null {
  try {
    return attribution(user);
  } catch (thrown) {
    throw new HookError(
      "attribution",
      `identities.attribution threw for the author of a row of ${mapping.recordType}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      "Correct it in tandem.config.ts, then restart the event.",
      { cause: thrown },
    );
  }
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

/** Escapes a name, which must not act as Markdown or HTML, and must not mention a user. */
function asPlainText(name: string): string {
  return name
    .replaceAll(/\s+/g, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\\`*_{}[\]()#|~!>]/g, (mark) => `\\${mark}`)
    .replaceAll("@", "@\u200B");
}
