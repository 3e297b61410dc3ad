/**
 * The secrets that may have signed an integration's webhooks. Hundreds of webhooks may arrive per second, and secrets
 * change twice a year, so they are cached for a second. A new secret is accepted immediately: a signature that fits no
 * cached secret is checked again with the present ones.
 */
import type { Clock } from "../../model/clock.ts";
import type { AccountId } from "../../model/ids.ts";
import { addMillis, type Instant } from "../../model/instant.ts";
import type { Directory } from "../../store/store.ts";
import { MissingSecretError, type Secrets } from "../settings/index.ts";

/** How long a secret that another process removed is still accepted here. */
const HOLDS_MS = 1_000;

/** The secrets of an integration's accounts. */
export interface KnownSecrets {
  readonly accounts: readonly { readonly id: AccountId; readonly secrets: readonly string[] }[];
  /** The secrets that cannot be read. One account's missing secret must not block the webhooks of others. */
  readonly missing: readonly MissingSecretError[];
}

export interface WebhookSecrets {
  /** @param asOf `now`: reads them from the database, even if they are cached. */
  of(integration: string, asOf?: "now"): Promise<KnownSecrets>;
  /** Drops the cache after this process changed a secret. */
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
    // A failure reaches only callers that already wait for this read; the next caller reads again.
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

/** An account that is being connected, with its new webhook secret. */
interface AccountSecret {
  readonly integration: string;
  readonly name: string;
  readonly webhookSecret?: unknown;
}

/** The secrets of an account after it is connected with another secret: the new one and the previous one. */
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

/** The plain form of a stored secret. A sealed secret that no key opens stays sealed, and equals no other. */
function opened(stored: unknown, { reveal }: Secrets): unknown {
  if (typeof stored !== "object" || stored === null || !("sealed" in stored)) return stored;
  try {
    return reveal(stored);
  } catch {
    return stored;
  }
}
