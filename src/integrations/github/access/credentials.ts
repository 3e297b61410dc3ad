/** The credentials of a GitHub account: their two forms, and clear errors for wrong ones. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { credentialsError } from "../transport/index.ts";

const address = z
  .url({ protocol: /^https?$/ })
  .transform((text) => text.replace(/(?<!\/)\/+$/, ""));

/** Only characters that a header can carry: otherwise an error of `fetch` would quote the token. */
const token = z
  .string()
  .trim()
  .regex(/^[!-~]+$/);

const shape = z.union([
  z.strictObject({ token, baseUrl: address.optional() }),
  z.strictObject({
    appId: z.union([z.int().positive(), z.string().trim().min(1)]).transform(String),
    privateKey: z.string().trim().min(1),
    installationId: z
      .union([z.int().positive(), z.string().trim().regex(/^\d+$/)])
      .transform(String),
    baseUrl: address.optional(),
  }),
]);

/**
 * How an account logs in: with a token, or as an installation of a GitHub App.
 *
 * @example { token: process.env.GITHUB_TOKEN }
 * @example { appId: 12345, privateKey: process.env.APP_KEY, installationId: 678 }
 */
export type GitHubCredentials = z.input<typeof shape>;

/** Credentials that have the right form. */
export type Login =
  | { readonly kind: "token"; readonly token: string; readonly baseUrl: string | null }
  | {
      readonly kind: "app";
      /** The App's id, or its client id. */
      readonly appId: string;
      readonly key: KeyObject;
      readonly installationId: string;
      readonly baseUrl: string | null;
    };

const FORMS =
  "Give either { token } or { appId, privateKey, installationId }, each with an optional baseUrl for GitHub Enterprise Server.";

/**
 * Checks the form of credentials. No message ever quotes one.
 *
 * @throws IntegrationError of kind `credentials`.
 */
export function readCredentials(account: string, credentials: unknown): Login {
  const result = shape.safeParse(credentials);
  if (!result.success) {
    throw credentialsError(
      "invalid_credentials",
      `The credentials of the GitHub account ${account} are incomplete or of the wrong form${missing(credentials)}.`,
      FORMS,
    );
  }
  const login = result.data;
  const baseUrl = login.baseUrl ?? null;
  if ("token" in login) return { kind: "token", token: login.token, baseUrl };
  const { appId, installationId } = login;
  return { kind: "app", appId, installationId, key: readKey(account, login.privateKey), baseUrl };
}

/**
 * Checks the form of a user's own credentials: a token, for the account's own server.
 *
 * @throws IntegrationError of kind `credentials`. No message ever quotes one.
 */
export function readUserToken(user: string, credentials: unknown, baseUrl: string): Login {
  const result = shape.safeParse(credentials);
  if (result.success && "token" in result.data && isAt(baseUrl, result.data.baseUrl)) {
    return { kind: "token", token: result.data.token, baseUrl };
  }
  throw credentialsError(
    "invalid_credentials",
    `The credentials of the GitHub user ${user} are not a token for ${baseUrl}.`,
    "Give { token }: a token of the user's own, for the same server as the account.",
  );
}

function isAt(baseUrl: string, given: string | undefined): boolean {
  return given === undefined || given === baseUrl;
}

/** The installation of an App's credentials; `null` for a token or anything else. */
export function installationOf(credentials: unknown): string | null {
  const result = shape.safeParse(credentials);
  return result.success && "installationId" in result.data ? result.data.installationId : null;
}

/** Checks an address that was given as an option. @throws IntegrationError of kind `credentials`. */
export function readBaseUrl(baseUrl: string): string {
  const result = address.safeParse(baseUrl);
  if (result.success) return result.data;
  throw credentialsError(
    "invalid_base_url",
    `baseUrl is not an http or https address: ${JSON.stringify(baseUrl)}.`,
    "For GitHub Enterprise Server it looks like https://github.example.com/api/v3.",
  );
}

const THIS_MACHINE = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Checks that the configuration allows the host to which an account's row sends its token. Without this
 * check a row could send any account's token, or any variable that it names, to any server.
 *
 * @throws IntegrationError of kind `credentials`.
 */
export function requireKnownHost(
  account: string,
  baseUrl: string,
  addresses: readonly string[],
  hosts: readonly string[],
): void {
  const { host, hostname } = new URL(baseUrl);
  const known = [...addresses.map((address) => new URL(address).host), ...hosts];
  if (known.includes(host) || THIS_MACHINE.test(hostname)) return;
  throw credentialsError(
    "host_not_allowed",
    `The GitHub account ${account} is at ${host}, and the configuration allows no token to be sent there.`,
    `Allow the host in the integration's configuration: github({ hosts: ["${host}"] }).`,
  );
}

function readKey(account: string, pem: string): KeyObject {
  const problem = credentialsError(
    "invalid_private_key",
    `The private key of the GitHub account ${account} is not a PEM-encoded RSA key.`,
    "Use the whole file that GitHub gave you when the key was created, from BEGIN to END, with its line breaks.",
  );
  try {
    // Environment variables often carry line breaks as the two characters \n.
    const key = createPrivateKey(pem.replaceAll(String.raw`\n`, "\n"));
    if (key.asymmetricKeyType === "rsa") return key;
  } catch {
    // The cause may quote parts of the key, so it is dropped.
  }
  throw problem;
}

function missing(credentials: unknown): string {
  const given = typeof credentials === "object" && credentials !== null ? credentials : {};
  const isApp = "appId" in given || "privateKey" in given || "installationId" in given;
  const wanted = isApp ? ["appId", "privateKey", "installationId"] : ["token"];
  const absent = wanted.filter((name) => {
    const value: unknown = Reflect.get(given, name);
    return value === undefined || value === null || value === "";
  });
  return absent.length === 0 ? "" : `: ${absent.join(", ")} missing`;
}
