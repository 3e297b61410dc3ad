/**
 * A create: under whose credentials it is sent, which values it carries, and what the intent notes before that.
 *
 *   the app has no hook, or no token of the author   the account sends it, with a line that names the author
 *   the app has the author's own token               the author's token sends it, without that line
 *   that token was refused, limited or unavailable   the account sends it; the event's reason says why
 *   no room for the idempotency token                the account sends it: only its writer identifies it then
 */
import { isByAuthor, mayHaveLanded, postpone } from "../lane/index.ts";
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

/** The credentials under which a create is sent. */
export type Writer =
  /** `instead`: why the account sends it although the app has a token of the author. */
  | { readonly kind: "account"; readonly instead: InsteadOfAuthor | null }
  | { readonly kind: "author"; readonly actor: Actor };

export const BY_ACCOUNT: Writer = { kind: "account", instead: null };

/** The values of a record that a create can carry. The others are sent after the resource was created. */
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

/** The values to send, with the attribution line that names the author. Known content and base never contain it. */
export function attributed(
  values: Content,
  token: string,
  line: string | null,
  { resource: { attribute } }: Mapping,
): Content {
  return line === null || attribute === undefined ? values : attribute(values, line, token);
}

/** The values of an edit to send. Only a resource that our account created carries the attribution line. */
export function signed(
  { intent }: Lane,
  values: Content,
  line: string | null,
  mapping: Mapping,
): Content {
  if (intent === null || isByAuthor(intent)) return values;
  return attributed(values, intent.token, line, mapping);
}

/** The number of different texts that are remembered of one writer's creates. */
const TEXTS_REMEMBERED = 10;

/**
 * A digest of the texts of a create, or of a resource that a create may have made, for comparison. Other fields
 * do not count: a provider may drop them if the author may not set them.
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

/** Notes a create on its intent before it is sent: its time, its writer, and the digest of its texts. */
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

/** The fields of an attempt that name its writer. */
export function writtenBy(writer: Writer): Pick<Attempt, "author" | "instead"> {
  if (writer.kind === "author") return { author: writer.actor };
  return writer.instead === null ? {} : { instead: writer.instead };
}

/**
 * The lane without an attempt that certainly had no effect: no event has to wait for its resource, and its writer
 * has created nothing. Attempts that were sent since, and the resources they made, stay.
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
 * Removes a refused create whose worker has lost its claim. As long as the create counts, a resource that its
 * writer makes by hand may be taken for it.
 */
export function withoutRefusedLate(lane: Lane, by: Pick<TandemEvent, "id" | "epoch">): Lane {
  return sentUnder(lane, by)?.kind === "create" ? withoutRefused(lane, by) : lane;
}

/** The open attempt that was sent under a claim, or `null`. */
function sentUnder(
  { attempt, unanswered }: Lane,
  { id, epoch }: Pick<TandemEvent, "id" | "epoch">,
): Attempt | null {
  const open = [...(attempt === null ? [] : [attempt]), ...unanswered];
  return open.find((one) => one.event === id && one.epoch === epoch) ?? null;
}

/** Removes a create from its intent, and its writer unless other creates or resources of that writer count. */
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
 * Postpones the event of a refused create if the lane got its resource by another create meanwhile: that resource
 * must be read first. The attempt is not counted.
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

/** The reason with which an event ends after its create was answered. */
export function reasonOfCreate({ author, instead }: Attempt): Reason {
  if (author !== undefined) return "created_as_author";
  return instead ?? "created_resource";
}
