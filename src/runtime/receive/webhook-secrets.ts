/**
 * The secrets that may have signed an integration's webhooks. Webhooks come by the hundred a second and
 * secrets change twice a year, so they are not asked for at each: what was read holds for a second. A
 * new one is believed at once, since what fits none of those that are known is held against those of now.
 */
import type { Clock } from "../../model/clock.ts";
import type { AccountId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Directory } from "../../store/store.ts";
import { MissingSecretError, type Secrets } from "../services/index.ts";

/** How long a secret that was taken away elsewhere is still believed here. */
const HOLDS_MS = 1_000;

/** The secrets of an integration's accounts. */
export interface KnownSecrets {
  readonly accounts: readonly { readonly id: AccountId; readonly secrets: readonly string[] }[];
  /** Why some are not known. One account's missing secret must not keep others from their webhooks. */
  readonly missing: readonly MissingSecretError[];
}

export interface WebhookSecrets {
  /** @param asOf `now`: as the database has them, however short ago it was asked. */
  of(integration: string, asOf?: "now"): Promise<KnownSecrets>;
  /** They were changed by this process. */
  forget(): void;
}

export function createWebhookSecrets(
  directory: Pick<Directory, "accounts">,
  reveal: (secret: unknown) => unknown,
  clock: Clock,
): WebhookSecrets {
  let known: {
    readonly until: Instant;
    readonly accounts: ReturnType<Directory["accounts"]>;
  } | null = null;

  function ask(): ReturnType<Directory["accounts"]> {
    const accounts = directory.accounts();
    const asked = { until: addMillis(clock.now(), HOLDS_MS), accounts };
    known = asked;
    // Nobody is told of a failure that was another's, but who waits for the same answer.
    accounts.catch(() => {
      if (known === asked) known = null;
    });
    return accounts;
  }

  return {
    async of(integration, asOf) {
      const holds = known !== null && asOf === undefined && clock.now() < known.until;
      const accounts = await (known !== null && holds ? known.accounts : ask());
      const missing: MissingSecretError[] = [];
      const revealed = (secret: unknown): readonly string[] => {
        try {
          const text = reveal(secret);
          return typeof text === "string" ? [text] : [];
        } catch (thrown) {
          if (!(thrown instanceof MissingSecretError)) throw thrown;
          missing.push(thrown);
          return [];
        }
      };
      const own = accounts.filter((account) => account.integration === integration);
      return {
        accounts: own.map(({ id, webhookSecrets }) => ({
          id,
          secrets: webhookSecrets.flatMap(revealed),
        })),
        missing,
      };
    },
    forget() {
      known = null;
    },
  };
}

/** An account as it is connected, with the webhook's secret that it is given. */
interface AccountSecret {
  readonly integration: string;
  readonly name: string;
  readonly webhookSecret?: unknown;
}

/** The secrets an account has once it is connected with another: the new one, and the one before it. */
export async function secretsAfter(
  directory: Pick<Directory, "accounts">,
  secrets: Secrets,
  { integration, name, webhookSecret }: AccountSecret,
): Promise<readonly unknown[]> {
  const accounts = await directory.accounts();
  const known = accounts.find((each) => each.integration === integration && each.name === name);
  const before = known?.webhookSecrets ?? [];
  if (webhookSecret === undefined) return before;
  const same = JSON.stringify(webhookSecret);
  const [previous] = before.filter((each) => JSON.stringify(opened(each, secrets)) !== same);
  const stored = secrets.sealOne(webhookSecret, "webhook secret");
  return previous === undefined ? [stored] : [stored, previous];
}

/** A sealed secret as it was given; one that no key opens any more is another than any that is given. */
function opened(stored: unknown, { reveal }: Secrets): unknown {
  if (typeof stored !== "object" || stored === null || !("sealed" in stored)) return stored;
  try {
    return reveal(stored);
  } catch {
    return stored;
  }
}
