/**
 * The author's own token: requested from the app before a create, used once, and not kept.
 *
 * 1. The credentials stay in the client made for them. The token's user, and whether it was refused, are remembered
 *    under a hash of the token.
 * 2. Trouble with a token must not delay the account's lanes: the account writes instead, immediately, and the ledger
 *    says why. Even an hour's rate limit is not waited for: the record's children would wait too, and the attribution
 *    line names the author anyway.
 * 3. A hook that hangs costs its time once a minute, for any user. A cause such as an unavailable vault hangs for all
 *    users, and a connection of the pool and the record's children wait for it.
 * 4. A create that may have taken effect was not refused. It is read back, like any unanswered create.
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
  type ApiClients,
  type Asked,
  type Author,
  type AuthorTokens,
  byAccount,
  type Claimed,
  type Contact,
  inTime,
  type Log,
  type Services,
  type UserClient,
} from "../services/index.ts";
import { messageOf } from "../failures/index.ts";
import type { TokenHook } from "../settings/index.ts";
import { forgetLate, lockClaimed, save } from "../claims/index.ts";

/** How long the app may take to return a token: the event and one of the worker's places wait for it. */
const HOOK_MS = 5_000;
/** How long a refused token is not used again for the same connection, and a hook that was too slow is not called. */
const REST_MS = 60_000;
/** How many tokens are remembered by their hash; the least recently used one is removed first. */
const KNOWN_TOKENS = 1_000;

/** The knowledge about a token, without the token itself. */
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
  readonly gateway: Pick<ApiClients, "asUser" | "identity">;
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
    // One request serves all callers that wait for it.
    token.actor ??= client.identity();
    try {
      return await token.actor;
    } catch (error) {
      token.actor = null;
      throw error;
    }
  }

  /** Asks the app for credentials and opens a client with them; returns the trouble if that fails. */
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
      // If the token belongs to the account itself, its posts need the attribution line like all of the account's.
      const account = await gateway.identity(contact.account);
      if (account.id === actor.id) return byAccount(author.id);
      const { containerId: id, containerName: name } = contact.connection;
      const client = opened.client.container({ id, name });
      return { author: author.id, writer: { kind: "author", actor }, client, refused };
    },
  };
}

/**
 * Removes an author's refused create, which made nothing, so that the event continues under the account. `null` if
 * nothing is left to create, or if another worker has the event by now.
 */
export async function forgetRefused(
  services: Pick<Services, "store">,
  claimed: Claimed,
  { author }: Asked,
  instead: InsteadOfAuthor,
): Promise<Asked | null> {
  return services.store.transaction(async (tx) => {
    const held = await lockClaimed(tx, claimed);
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
 * Why the account must write instead of the author. `null` if the error is no refusal of the token: the create may
 * have taken effect, a retry may succeed, or the account would get the same error (a deleted parent).
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

/** Until when a token is not used. A create that was refused for its values tells nothing about the next one. */
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
      hint: "Let it read the token from a fast store, and return null if there is none. Tandem calls it again in a minute.",
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
      ? "Tandem uses it again when its rate limit allows."
      : status === 422
        ? "GitHub refused a value or has blocked the user; the account tries next, without the user's token."
        : "Let identities.token return a valid token of this user, or give the user access to the repository.";
  return { code, cause: message, hint, httpStatus: status, requestId };
}

function placeOf({ lane, claim }: Claimed, { account, connection }: Contact) {
  const { integration, name } = account;
  return { lane, event: claim.event, integration, account: name, connection: connection.id };
}
