/** The content of the app and of GitHub at the end of a history, by names such as `tasks:1` and `issue:7`. */
import type { GitHubSimulator } from "../../github/index.ts";
import {
  type AppTask,
  type AppUser,
  type AppWorld,
  commentName,
  type ConnectedSite,
  issueName,
  type Site,
  type WorldKind,
} from "../world/index.ts";
import { signsOf } from "./authors.ts";
import { type History, tokenIn, withoutToken } from "../history/index.ts";
import type { Ending, Says, Scene, Thing } from "./scene.ts";

type Sides = Pick<Scene, "records" | "resources" | "users">;

export async function bothSides({
  world,
  github,
  places,
  sites,
  history,
}: Pick<Ending, "world" | "github" | "places" | "sites" | "history">): Promise<Sides> {
  const users = await world.users();
  return {
    users,
    records: await recordsOf(world, users),
    resources: resourcesOf(github, sites, places, world.kind, history),
  };
}

async function recordsOf(
  world: AppWorld,
  users: readonly AppUser[],
): Promise<ReadonlyMap<string, Thing>> {
  const loginOf = (key: string | null) =>
    users.find(({ id }) => id === key)?.login?.toLowerCase() ?? null;
  const records = new Map<string, Thing>();
  for (const task of await world.tasks()) {
    const { id, projectId, title, markdown, status, ownerId, archived } = task;
    const state = status === "done" ? "closed" : "open";
    const says = { title, body: markdown, state, ...setsOf(task, world.kind) };
    const by = loginOf(ownerId);
    records.set(`tasks:${id}`, { says, archived, by, userId: ownerId, belongsTo: projectId });
  }
  for (const { id, taskId, markdown, authorId } of await world.comments()) {
    const says = { body: markdown };
    const by = loginOf(authorId);
    const place = { userId: authorId, belongsTo: `tasks:${taskId}` };
    records.set(`comments:${id}`, { says, archived: false, by, ...place });
  }
  return records;
}

function resourcesOf(
  github: GitHubSimulator,
  sites: readonly Site[],
  places: readonly ConnectedSite[],
  kind: WorldKind,
  { copies }: History,
): ReadonlyMap<string, Thing> {
  const resources = new Map<string, Thing>();
  for (const { repository, id: site } of sites) {
    const isOutside = !places.some(({ id }) => id === site);
    const surplus = new Set<number>();
    for (const issue of github.issues(site)) {
      const { number, title, body, state, author } = issue;
      const says = { title, body: withoutToken(body), state, ...setsOf(issue, kind) };
      const isCopy = copies.has(issueName(repository, number));
      const isSurplus = state === "closed" && tokenIn(body) !== null && !isCopy;
      if (isSurplus) surplus.add(number);
      const about = { by: author, ...signsOf(body), isSurplus, isOutside };
      resources.set(issueName(repository, number), { says, archived: false, ...about });
    }
    for (const { id, body, author, issueNumber } of github.comments(site)) {
      const says = { body: withoutToken(body) };
      const isSurplus = surplus.has(issueNumber);
      const belongsTo = issueName(repository, issueNumber);
      const about = { by: author, ...signsOf(body), isSurplus, isOutside, belongsTo };
      resources.set(commentName(id), { says, archived: false, ...about });
    }
  }
  return resources;
}

/** The sets that a world maps, sorted. */
function setsOf(
  { labels, assignees }: Pick<AppTask, "labels" | "assignees">,
  kind: WorldKind,
): Says {
  const sets = { labels: [...labels].sort() };
  return kind === "polling" ? { ...sets, assignees: [...assignees].sort() } : sets;
}
