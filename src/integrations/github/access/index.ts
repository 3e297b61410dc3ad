/**
 * Access to GitHub: the credentials of an account, the login of an App, and the API opened with them.
 *
 * 1. A credential has only characters that a header can carry, so no error of `fetch` quotes it.
 * 2. A redirect is followed only to an address of the account's own API.
 */
export { Api } from "./api.ts";
export {
  type GitHubCredentials,
  installationOf,
  type Login,
  readBaseUrl,
  readCredentials,
  readUserToken,
  requireKnownHost,
} from "./credentials.ts";
export { installationClient } from "./installation.ts";
