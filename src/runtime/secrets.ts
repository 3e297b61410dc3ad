/**
 * Secrets are named rather than stored: `{ token: { env: "GITHUB_TOKEN" } }` is put in the place
 * of its value only when an account is opened.
 */

/** A named secret is not there. */
export class MissingSecretError extends Error {
  override readonly name = "MissingSecretError";
  readonly code = "missing_secret";
  readonly hint: string;

  constructor(variable: string) {
    super(`the environment variable ${variable} is not set`);
    this.hint = `Set ${variable} where Tandem runs, or connect the account again.`;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Replaces every `{ env: NAME }` in a value by the variable's text. */
export function revealSecrets(value: unknown, environment: Environment): unknown {
  if (Array.isArray(value)) return value.map((item) => revealSecrets(item, environment));
  if (typeof value !== "object" || value === null) return value;
  if ("env" in value && typeof value.env === "string" && Object.keys(value).length === 1) {
    const secret = environment[value.env];
    if (secret === undefined || secret === "") throw new MissingSecretError(value.env);
    return secret;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, revealSecrets(item, environment)]),
  );
}
