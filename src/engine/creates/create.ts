/**
 * A create: who writes it, what it carries, and what is noted of it before it leaves.
 *
 *   the app has no token of the author's, or no hook   the account writes, with a line that names them
 *   the author's own token is at hand                  the author writes, and there is no line
 *   it was refused, limited or could not be had        the account writes after all; the reason says why
 *   there is no room for the create's token            the account writes, for nothing else tells it
 */
import { isByAuthor, postpone } from "../lane/index.ts";
import {
  type Actor,
  canonical,
  type Content,
  digest,
  type Json,
  pick,
} from "../../model/content.ts";
import type { Reason, TandemEvent } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type {
  Attempt,
  InsteadOfAuthor,
  Intent,
  Lane,
  Posted,
  PostedAuthor,
  PostedCreates,
  Transition,
} from "../../model/lane.ts";
import { type Mapping, mappedFields } from "../../model/mapping.ts";
import { withPosted } from "./identify.ts";
import { closeIntent } from "./unmarked.ts";

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
  if (intent === null || isByAuthor(intent)) return values;
  return attributed(values, intent.token, line, mapping);
}

/** Whether a create was sent and its answer never came. */
export function mayHaveLanded({ attempt, unanswered }: Lane): boolean {
  return attempt !== null || unanswered.some(({ kind }) => kind === "create");
}

/** How many different texts of one writer's creates are remembered. */
const TEXTS_REMEMBERED = 10;

/**
 * What a create says in words, or a resource where it was made: short, to be compared. All else a
 * provider may drop where its author may not set it.
 */
export function saidOf(content: Content, mapping: Mapping): string {
  const { fields } = mapping.resource;
  const words = mappedFields(mapping).filter((name) => {
    const spec = fields[name];
    const isText = spec?.kind === "line" || spec?.kind === "text";
    return isText && spec.writable && spec.settableOnCreate !== false;
  });
  return digest(pick(canonical(content, fields), words));
}

/** Notes on the intent that a create leaves for it, under whose credentials, and what it says. */
export function post(intent: Intent, writer: Writer, said: string, now: Instant): Intent {
  const posted = { authors: [], byAuthor: null, from: now, ...intent.posted, at: now };
  if (writer.kind === "account") {
    return { ...intent, posted: { ...posted, account: oneMore(posted.account, said) } };
  }
  const { actor } = writer;
  const before = posted.authors.find(({ id }) => id === actor.id);
  const author: PostedAuthor = { ...actor, ...oneMore(before, said) };
  const others = posted.authors.filter((one) => one !== before);
  return { ...intent, posted: { ...posted, authors: [...others, author] } };
}

function oneMore(before: PostedCreates | undefined, said: string): PostedCreates {
  const texts = [said, ...(before?.said ?? []).filter((one) => one !== said)];
  return {
    times: (before?.times ?? 0) + 1,
    said: texts.slice(0, TEXTS_REMEMBERED),
    made: before?.made ?? [],
  };
}

/** What an attempt notes of its writer. */
export function writtenBy(writer: Writer): Pick<Attempt, "author" | "instead"> {
  if (writer.kind === "author") return { author: writer.actor };
  return writer.instead === null ? {} : { instead: writer.instead };
}

/**
 * The lane without a request that is known to have made nothing: nothing of it will be seen, nobody has
 * to wait for it, and whoever it left for has written nothing by it. Others may have left since; what
 * they have made and bound stays as it is.
 */
export function withoutRefused(lane: Lane, by: Pick<TandemEvent, "id" | "epoch">): Lane {
  const { attempt, unanswered, intent } = lane;
  const refused = sentUnder(lane, by);
  if (refused === null) return lane;
  const without: Lane = {
    ...lane,
    attempt: attempt === refused ? null : attempt,
    unanswered: attempt === refused ? unanswered : unanswered.filter((one) => one !== refused),
    intent: intent === null ? null : takenBack(intent, refused, lane.externalId),
  };
  return mayHaveLanded(without) ? without : closeIntent(without);
}

/**
 * The same where the claim was lost by then: as long as a create counts, what its writer makes by hand
 * may be taken for it.
 */
export function withoutRefusedLate(lane: Lane, by: Pick<TandemEvent, "id" | "epoch">): Lane {
  return sentUnder(lane, by)?.kind === "create" ? withoutRefused(lane, by) : lane;
}

/** What a claim has sent, as far as it is open. */
function sentUnder(
  { attempt, unanswered }: Lane,
  { id, epoch }: Pick<TandemEvent, "id" | "epoch">,
): Attempt | null {
  const open = [...(attempt === null ? [] : [attempt]), ...unanswered];
  return open.find((one) => one.event === id && one.epoch === epoch) ?? null;
}

/** Forgets a create; and its writer, unless something of theirs was seen. */
function takenBack(
  intent: Intent,
  { author: refused, kind }: Attempt,
  bound: string | null,
): Intent {
  if (intent.posted === undefined || kind !== "create") return intent;
  const { account, ...rest } = intent.posted;
  const isLeft = ({ times, made }: PostedCreates) => times > 0 || made.length > 0;
  const authors = rest.authors
    .map((one) => (one.id === refused?.id ? { ...one, times: one.times - 1 } : one))
    .filter(isLeft);
  const isByAccount = refused === undefined && account !== undefined;
  const own = isByAccount ? { ...account, times: account.times - 1 } : account;
  const posted: Posted = {
    ...rest,
    authors,
    ...(own !== undefined && isLeft(own) && { account: own }),
  };
  return withPosted(intent, posted, bound);
}

/**
 * Sends the event of a create back that was refused while the lane was bound by another: what that
 * one's resource says comes first. The event is not to blame.
 */
export function lookInstead(
  refused: Transition,
  event: TandemEvent,
  notBefore: Instant | null,
  now: Instant,
): Transition {
  return postpone(refused, event, now, {
    reason: "reread_needed",
    runAt: notBefore ?? now,
    reread: true,
  });
}

/** How an event ends whose create was answered. */
export function reasonOfCreate({ author, instead }: Attempt): Reason {
  if (author !== undefined) return "created_as_author";
  return instead ?? "created_resource";
}
