/** The GitHub integration: what `tandem-sync/github` exports. */
import type { Integration } from "../integration.ts";
import { connect, type GitHubOptions } from "./client.ts";
import { installationOf } from "./access/index.ts";
import { type GitHubResources, RESOURCES } from "./resources.ts";
import { translate } from "./translate.ts";
import { verify } from "./verify.ts";

export type { GitHubOptions } from "./client.ts";
export type { GitHubCredentials } from "./access/index.ts";
export { TranslationError } from "../integration.ts";
export type { GitHubIssue, GitHubIssueComment, GitHubResources } from "./resources.ts";
export { BODY_LIMIT, hasRoomForToken } from "./token.ts";
export { IRRELEVANT } from "./translate.ts";

/**
 * Issues and issue comments of repositories at GitHub or GitHub Enterprise Server.
 *
 * Credentials belong to the account: `{ token }`, or `{ appId, privateKey, installationId }`.
 *
 * @example
 * import { defineConfig } from "tandem-sync";
 * import { github } from "tandem-sync/github";
 *
 * export default defineConfig({ integrations: { github: github() } });
 * @example
 * github({ baseUrl: "https://github.example.com/api/v3", timeoutMs: 20_000 })
 */
export function github(
  options: GitHubOptions = {},
): Integration & { readonly fieldTypes?: GitHubResources } {
  return {
    name: "github",
    resources: RESOURCES,
    // GitHub refuses more requests per hour than about this many that create content.
    writesPerHour: 500,
    secretFields: ["token", "privateKey"],
    environment: options.env ?? [],
    verify,
    translate,
    connect: (settings) => connect(settings, options),
    installationOf,
  };
}
