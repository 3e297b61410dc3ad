/** Other routes: the root, the rate limit, users and repositories. */
import { SECOND } from "../../../model/instant.ts";
import {
  GitHubFailure,
  notFound,
  representFullRepository,
  representProfile,
  type WireJson,
  type WireJsonObject,
} from "../world/index.ts";
import { type RouteAnswer, type Call, ok, repositoryOf } from "./call.ts";
import { lastModified } from "./issue-routes.ts";
import type { Budget } from "./rate-limits.ts";

/** The path of each entry of the root document, by its name before `_url`. */
const ROOT_LINKS: Readonly<Record<string, string>> = {
  current_user: "/user",
  authorizations: "/authorizations",
  code_search: "/search/code?q={query}{&page,per_page,sort,order}",
  commit_search: "/search/commits?q={query}{&page,per_page,sort,order}",
  emails: "/user/emails",
  emojis: "/emojis",
  events: "/events",
  feeds: "/feeds",
  followers: "/user/followers",
  following: "/user/following{/target}",
  gists: "/gists{/gist_id}",
  issue_search: "/search/issues?q={query}{&page,per_page,sort,order}",
  issues: "/issues",
  keys: "/user/keys",
  label_search: "/search/labels?q={query}&repository_id={repository_id}{&page,per_page}",
  notifications: "/notifications",
  organization: "/orgs/{org}",
  organization_repositories: "/orgs/{org}/repos{?type,page,per_page,sort}",
  organization_teams: "/orgs/{org}/teams",
  public_gists: "/gists/public",
  rate_limit: "/rate_limit",
  repository: "/repos/{owner}/{repo}",
  repository_search: "/search/repositories?q={query}{&page,per_page,sort,order}",
  current_user_repositories: "/user/repos{?type,page,per_page,sort}",
  starred: "/user/starred{/owner}{/repo}",
  starred_gists: "/gists/starred",
  user: "/users/{user}",
  user_organizations: "/user/orgs",
  user_repositories: "/users/{user}/repos{?type,page,per_page,sort}",
  user_search: "/search/users?q={query}{&page,per_page,sort,order}",
};

export function readRoot(call: Call): RouteAnswer {
  const links: Record<string, WireJson> = {
    current_user_authorizations_html_url: `${call.world.htmlUrl}/settings/connections/applications{/client_id}`,
  };
  for (const [name, path] of Object.entries(ROOT_LINKS)) {
    links[`${name}_url`] = `${call.world.apiUrl}${path}`;
  }
  return ok(links);
}

export function readRateLimit(call: Call): RouteAnswer {
  const core = representBudget(call.budget);
  const search: WireJsonObject = { ...core, limit: 30, used: 0, remaining: 30 };
  return ok({ resources: { core, search }, rate: core });
}

export function readCurrentUser(call: Call): RouteAnswer {
  if (call.caller.kind !== "token") throw new GitHubFailure(401, "Requires authentication");
  const { actor, installation } = call.caller.grant;
  if (installation !== null) throw new GitHubFailure(403, "Resource not accessible by integration");
  return ok(representProfile(call.world, call.world.user(actor.login)));
}

export function readUser(call: Call): RouteAnswer {
  const user = call.world.findUser(call.params.login ?? "");
  if (user === undefined) throw notFound();
  return ok(representProfile(call.world, user));
}

export function readRepository(call: Call): RouteAnswer {
  const repository = repositoryOf(call, "read");
  return ok(representFullRepository(call.world, repository), lastModified(repository));
}

function representBudget(budget: Budget): WireJsonObject {
  const { limit, used, remaining, reset } = budget;
  return { limit, used, remaining, reset: reset / SECOND };
}
