/**
 * Secrets of accounts: named, `{ token: { env: "GITHUB_TOKEN" } }`, or stored sealed. A named secret is read, and a
 * sealed one decrypted, only when an account's client is opened.
 *
 * 1. Only allowed variables are read, so that an account's row cannot expose every secret of the process.
 * 2. A literal secret is stored sealed, under a key from outside the database, or it is refused.
 */
import { openSealed, sealingKeys, sealText } from "./sealing.ts";

interface SecretProblem {
  readonly code: "missing_secret" | "secret_not_allowed" | "secret_not_opened";
  readonly message: string;
  readonly hint: string;
}

/** A secret that cannot be read. */
export class MissingSecretError extends Error {
  override readonly name = "MissingSecretError";
  readonly code: SecretProblem["code"];
  readonly hint: string;

  /** @param problem Default: the variable is not set. */
  constructor(
    variable: string,
    problem: SecretProblem = {
      code: "missing_secret",
      message: `the environment variable ${variable} is not set`,
      hint: `Set ${variable} where Tandem runs, or connect the account again.`,
    },
  ) {
    super(problem.message);
    this.code = problem.code;
    this.hint = problem.hint;
  }
}

/** A literal secret that would be stored unencrypted. */
export class LiteralSecretError extends Error {
  override readonly name = "LiteralSecretError";
  readonly code = "literal_secret";
  readonly hint =
    'Name the environment variable that holds it, as { env: "GITHUB_TOKEN" }, or set TANDEM_ENCRYPTION_KEY to 32 or more random characters, such as the output of `openssl rand -hex 32`: it is then stored encrypted.';

  constructor(field: string) {
    super(`the ${field} is given literally, and no encryption key is configured to store it under`);
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

export const ENCRYPTION_KEY = "TANDEM_ENCRYPTION_KEY";

/** Variables with these prefixes may be secrets of accounts. */
const ALLOWED = /^(GITHUB|GH|TANDEM|WEBHOOK|HOOK)_\w+$/;
/** Tandem's own secrets, which no account may read. */
const OWN: readonly string[] = [ENCRYPTION_KEY, "TANDEM_API_TOKEN"];

export interface Secrets {
  /** Replaces names of secrets by the secrets. @throws MissingSecretError */
  readonly reveal: (value: unknown) => unknown;
  /**
   * An account's credentials in their stored form.
   *
   * @throws LiteralSecretError
   * @throws MissingSecretError `secret_not_allowed`: no account may name that variable
   */
  readonly seal: (credentials: unknown, fields: readonly string[]) => unknown;
  /** A webhook's secret in its stored form; throws like `seal`. */
  readonly sealOne: (secret: unknown, field: string) => unknown;
}

/** The text of an object's only field, as in `{ env: NAME }`; `null` for any other value. */
function onlyText(value: unknown, field: "env" | "sealed"): string | null {
  if (typeof value !== "object" || value === null) return null;
  const [only, ...others] = Object.entries(value);
  if (only?.[0] !== field || others.length > 0) return null;
  return typeof only[1] === "string" ? only[1] : null;
}

/** @param variables Names that the configuration allows besides those with an allowed prefix. */
export function accountSecrets(environment: Environment, variables: readonly string[]): Secrets {
  const keys = sealingKeys(environment[ENCRYPTION_KEY]);

  function refuseForeign(variable: string): void {
    if (OWN.includes(variable) || !(ALLOWED.test(variable) || variables.includes(variable))) {
      throw new MissingSecretError(variable, {
        code: "secret_not_allowed",
        message: `an account names the environment variable ${variable}, which is not allowed`,
        hint: `Variables of accounts begin with GITHUB_, GH_, TANDEM_, WEBHOOK_ or HOOK_, or are listed: github({ env: ["${variable}"] }).`,
      });
    }
  }

  function named(variable: string): string {
    refuseForeign(variable);
    const secret = environment[variable];
    if (secret === undefined || secret === "") throw new MissingSecretError(variable);
    return secret;
  }

  function opened(sealed: string): string {
    const text = openSealed(sealed, keys);
    if (text !== null) return text;
    throw new MissingSecretError(ENCRYPTION_KEY, {
      code: "secret_not_opened",
      message: "a stored secret cannot be decrypted with the keys in TANDEM_ENCRYPTION_KEY",
      hint: "Set TANDEM_ENCRYPTION_KEY to the key it was stored under (several are separated by commas), or connect the account again.",
    });
  }

  function reveal(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(reveal);
    if (typeof value !== "object" || value === null) return value;
    const variable = onlyText(value, "env");
    if (variable !== null) return named(variable);
    const sealed = onlyText(value, "sealed");
    if (sealed !== null) return opened(sealed);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item)]));
  }

  function sealOne(secret: unknown, field: string): unknown {
    if (typeof secret !== "string") {
      const variable = onlyText(secret, "env");
      if (variable !== null) refuseForeign(variable);
      return secret;
    }
    const [newest] = keys;
    if (newest === undefined) throw new LiteralSecretError(field);
    return { sealed: sealText(secret, newest) };
  }

  return {
    reveal,
    sealOne,
    seal(credentials, fields) {
      if (typeof credentials !== "object" || credentials === null) return credentials;
      return Object.fromEntries(
        Object.entries(credentials).map(([name, value]) => [
          name,
          fields.includes(name) ? sealOne(value, name) : (value as unknown),
        ]),
      );
    },
  };
}
