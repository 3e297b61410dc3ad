/**
 * The author's own token: asked of the app before a create, tried, and forgotten.
 *
 * 1. What the hook gives stays in the client that it is for. Who a token is, and that it was refused,
 *    is remembered under its hash.
 * 2. Nothing that goes wrong with a token is the account's fault or delays its lanes: the account
 *    writes instead, at once, and the ledger says why. A limit that lasts an hour is no reason to wait:
 *    the record's children would wait too, and the line above the text names its author all the same.
 * 3. A hook that hangs costs its time once a minute, whoever it is asked for. What hangs for one user
 *    (a vault that is away) hangs for all, and a place of the pool and the record's children wait for it.
 * 4. What may have been applied is no refusal. It is looked for, like any create without an answer.
 */
import { createHash } from "node:crypto";
import { lookInstead, withoutRefused } from "../../engine/creates/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { Clock } from "../../model/clock.ts";
import type { Actor } from "../../model/content.ts";
import type { ConnectionId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { InsteadOfAuthor } from "../../model/lane.ts";
import {
  type Asked,
  type Author,
  type AuthorTokens,
  byAccount,
  type Claimed,
  type Contact,
  type Gateway,
  inTime,
  type Log,
  messageOf,
  type Services,
  type TokenHook,
  type UserClient,
} from "../services/index.ts";
import { forgetLate, hold, save } from "../claims/index.ts";

/** How long the app may take to give a token: its event, and one place of the pool, wait for it. */
const HOOK_MS = 5_000;
/**
 * How long a token that was refused is not tried again for the same connection, and a hook that was too
 * slow is not asked.
 */
const REST_MS = 60_000;
/** How many tokens are known by their hash; the one used longest ago is forgotten first. */
const KNOWN_TOKENS = 1_000;

/** What a token is known by; the token itself is not. */
interface Known {
  actor: Promise<Actor> | null;
  readonly rests: Map<ConnectionId, { readonly until: Instant; readonly instead: InsteadOfAuthor }>;
}

interface Trouble {
  readonly code: string;
  readonly cause: string;
  readonly hint: string;
}

export function createAuthorTokens(options: {
  readonly hook: TokenHook | null;
  readonly gateway: Pick<Gateway, "asUser" | "identity">;
  readonly clock: Clock;
  readonly log: Log;
}): AuthorTokens {
  const { hook, gateway, clock, log } = options;
  const known = new Map<string, Known>();
  let hookRestsUntil: Instant | null = null;

  function recall(contact: Contact, credentials: object): Known {
    const said = JSON.stringify([contact.account.id, credentials]);
    const hash = createHash("sha256").update(said).digest("base64");
    const token = known.get(hash) ?? { actor: null, rests: new Map() };
    known.delete(hash);
    known.set(hash, token);
    const [oldest] = known.keys();
    if (known.size > KNOWN_TOKENS && oldest !== undefined) known.delete(oldest);
    return token;
  }

  async function whoIs(token: Known, client: UserClient): Promise<Actor> {
    // One request serves all who wait for it.
    token.actor ??= client.identity();
    try {
      return await token.actor;
    } catch (error) {
      token.actor = null;
      throw error;
    }
  }

  /** What the app gave, as a client; or what is wrong with it. */
  async function open(
    ask: TokenHook,
    { account }: Contact,
    { id, row }: Author,
  ): Promise<{ readonly client: UserClient; readonly credentials: object } | Trouble | null> {
    const request = { user: row, integration: account.integration, account: account.name };
    let credentials: Awaited<ReturnType<TokenHook>>;
    try {
      const answer = Promise.resolve().then(() => ask(request));
      credentials = await inTime(clock, HOOK_MS, answer, () => new TooSlowError());
    } catch (thrown) {
      if (thrown instanceof TooSlowError) hookRestsUntil = addMillis(clock.now(), REST_MS);
      return hookTrouble(thrown);
    }
    if (credentials === null || credentials === undefined) return null;
    try {
      return { client: gateway.asUser(account, id, credentials), credentials };
    } catch (thrown) {
      return unusable(thrown);
    }
  }

  return {
    async ask(claimed, contact, author) {
      const told = { ...placeOf(claimed, contact), user: author.id };
      if (hookRestsUntil !== null && hookRestsUntil > clock.now()) {
        return byAccount(author.id, "author_token_unavailable");
      }
      const opened = hook === null ? null : await open(hook, contact, author);
      if (opened === null) return byAccount(author.id);
      if ("code" in opened) {
        log.warn({ ...told, ...opened }, "the account writes in its author's place");
        return byAccount(author.id, "author_token_unavailable");
      }
      const connection = contact.connection.id;
      const token = recall(contact, opened.credentials);
      const rest = token.rests.get(connection);
      if (rest !== undefined && rest.until > clock.now()) return byAccount(author.id, rest.instead);

      const refused = (thrown: unknown): InsteadOfAuthor | null => {
        const instead = insteadOf(thrown);
        if (instead === null || !(thrown instanceof IntegrationError)) return null;
        const until = restUntil(thrown, clock.now());
        if (until !== null) token.rests.set(connection, { until, instead });
        log.warn({ ...told, ...refusal(thrown) }, "the account writes in its author's place");
        return instead;
      };
      let actor: Actor;
      try {
        actor = await whoIs(token, opened.client);
      } catch (thrown) {
        const instead = refused(thrown);
        if (instead === null) throw thrown;
        return byAccount(author.id, instead);
      }
      // A token of the account's own is no author's: what it writes is signed like all of ours.
      const account = await gateway.identity(contact.account);
      if (account.id === actor.id) return byAccount(author.id);
      const { containerId: id, containerName: name } = contact.connection;
      const client = opened.client.container({ id, name });
      return { author: author.id, writer: { kind: "author", actor }, client, refused };
    },
  };
}

/**
 * An author's create that was refused made nothing: the same event goes on as the account. `null` where
 * there is nothing more to create, or another worker has the event by now.
 */
export async function forgetRefused(
  services: Pick<Services, "store">,
  claimed: Claimed,
  { author }: Asked,
  instead: InsteadOfAuthor,
): Promise<Asked | null> {
  return services.store.transaction(async (tx) => {
    const held = await hold(tx, claimed);
    if (held === null) {
      await forgetLate(tx, claimed);
      return null;
    }
    const { event, start } = held;
    const refused = { ...start, lane: withoutRefused(held.lane, event) };
    if (refused.lane.externalId !== null) {
      await save(tx, held, lookInstead(refused, event, null, tx.now));
      return null;
    }
    await save(tx, held, refused);
    return byAccount(author, instead);
  });
}

/**
 * Why the account writes where the author could not; `null` for what is no refusal of the token: it
 * may have been applied, may pass by itself, or is true for everybody (a parent that is gone).
 */
export function insteadOf(thrown: unknown): InsteadOfAuthor | null {
  if (!(thrown instanceof IntegrationError) || thrown.applied !== "no") return null;
  switch (thrown.kind) {
    case "credentials":
    case "not_found":
    case "permanent":
      return "author_token_refused";
    case "rate_limited":
      return "author_token_limited";
    case "retryable":
    case "gone":
    case "moved":
      return null;
  }
}

/** Until when a token is left alone. What was refused for its values says nothing of the next. */
function restUntil({ kind, status, retryAfterMs }: IntegrationError, now: Instant): Instant | null {
  if (kind === "rate_limited" && retryAfterMs !== null) return addMillis(now, retryAfterMs);
  return status === 422 ? null : addMillis(now, REST_MS);
}

class TooSlowError extends Error {
  override readonly name = "TooSlowError";
}

function hookTrouble(thrown: unknown): Trouble {
  if (thrown instanceof TooSlowError) {
    return {
      code: "token_hook_too_slow",
      cause: `identities.token did not answer within ${String(HOOK_MS / 1_000)} seconds.`,
      hint: "Let it read the token from close by, and return null where there is none. It is asked again in a minute.",
    };
  }
  return {
    code: "token_hook_failed",
    cause: `identities.token threw: ${messageOf(thrown)}`,
    hint: "Correct it in tandem.config.ts; return null for users without a token.",
  };
}

function unusable(thrown: unknown): Trouble {
  const { code, hint } =
    thrown instanceof Error && "code" in thrown && "hint" in thrown
      ? { code: String(thrown.code), hint: String(thrown.hint) }
      : { code: "token_hook_failed", hint: "Let identities.token return credentials, or null." };
  return { code, hint, cause: messageOf(thrown) };
}

function refusal({ kind, code, message, status, requestId }: IntegrationError) {
  const hint =
    kind === "rate_limited"
      ? "It is used again when its limit allows more."
      : status === 422
        ? "GitHub refused a value or has blocked the user; the account tries next, whatever identities.token gives."
        : "Let identities.token give a valid token of this user, or give the user access there.";
  return { code, cause: message, hint, httpStatus: status, requestId };
}

function placeOf({ lane, claim }: Claimed, { account, connection }: Contact) {
  const { integration, name } = account;
  return { lane, event: claim.event, integration, account: name, connection: connection.id };
}
