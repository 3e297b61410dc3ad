/**
 * A create: who writes it, what it carries, and what is noted of it before it leaves.
 *
 *   the app has no token of the author's, or no hook   the account writes, with a line that names them
 *   the author's own token is at hand                  the author writes, and there is no line
 *   it was refused, limited or could not be had        the account writes after all; the reason says why
 *   there is no room for the create's token            the account writes, for nothing else tells it
 */
import type { Actor, Content, Json } from "../model/content.ts";
import type { Reason } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { Attempt, InsteadOfAuthor, Intent, Lane, Posted } from "../model/lane.ts";
import type { Mapping } from "../model/mapping.ts";
import { closeIntent } from "./tokenless.ts";

/** Under whose credentials a create leaves. */
export type Writer =
  /** `instead`: why, where the app has a token of the author's all the same. */
  | { readonly kind: "account"; readonly instead: InsteadOfAuthor | null }
  | { readonly kind: "author"; readonly actor: Actor };

export const BY_ACCOUNT: Writer = { kind: "account", instead: null };

/** What a create carries of a record; the rest is sent once the resource is there. */
export function creationValues({ resource }: Mapping, record: Content): Content {
  const values: Record<string, Json> = {};
  for (const [name, spec] of Object.entries(resource.fields)) {
    const value = record[name];
    if (spec.writable && spec.settableOnCreate !== false && value !== undefined) {
      values[name] = value;
    }
  }
  return values;
}

/** The values as they leave, with the line that says who wrote them; what we know of stays without. */
export function attributed(
  values: Content,
  token: string,
  line: string | null,
  { resource: { attribute } }: Mapping,
): Content {
  return line === null || attribute === undefined ? values : attribute(values, line, token);
}

/** An edit as it leaves: only what the account created has the line, for what others wrote is theirs. */
export function signed(
  { intent }: Lane,
  values: Content,
  line: string | null,
  mapping: Mapping,
): Content {
  if (intent === null || intent.posted?.byAuthor === true) return values;
  return attributed(values, intent.token, line, mapping);
}

/** Whether a create was sent and its answer never came. */
export function mayHaveLanded({ attempt, unanswered }: Lane): boolean {
  return attempt !== null || unanswered.some(({ kind }) => kind === "create");
}

/** Notes on the intent that a create leaves for it, and under whose token. */
export function post(intent: Intent, writer: Writer, now: Instant): Intent {
  const { times = 0, authors = [], byAuthor = false } = intent.posted ?? {};
  const isNew = writer.kind === "author" && authors.every(({ id }) => id !== writer.actor.id);
  const posted: Posted = {
    times: times + 1,
    at: now,
    authors: isNew ? [...authors, writer.actor] : authors,
    byAuthor,
  };
  return { ...intent, posted };
}

/** What an attempt notes of its writer, and what to go back to should it be refused. */
export function writtenBy(
  writer: Writer,
  before: Intent | null,
): Pick<Attempt, "author" | "instead" | "postedBefore"> {
  const postedBefore = before?.posted ?? null;
  if (writer.kind === "author") return { author: writer.actor, postedBefore };
  return writer.instead === null ? { postedBefore } : { instead: writer.instead, postedBefore };
}

/**
 * The lane without a request that was refused: nothing of it will be seen, nobody has to wait for a
 * create that made nothing, and whoever it left for has written nothing by it.
 */
export function withoutRefused(lane: Lane): Lane {
  const { attempt, intent } = lane;
  const back = attempt?.kind === "create" && intent !== null && attempt.postedBefore !== undefined;
  const refused = {
    ...lane,
    attempt: null,
    intent: back ? takenBack(intent, attempt.postedBefore ?? null) : intent,
  };
  return mayHaveLanded(refused) ? refused : closeIntent(refused);
}

function takenBack({ token, since, tokenless }: Intent, before: Posted | null): Intent {
  return { token, since, tokenless, ...(before === null ? {} : { posted: before }) };
}

/** How an event ends whose create was answered. */
export function reasonOfCreate({ author, instead }: Attempt): Reason {
  if (author !== undefined) return "created_as_author";
  return instead ?? "created_resource";
}
