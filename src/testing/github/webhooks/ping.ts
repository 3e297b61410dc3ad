/** The payload of `ping`, with which GitHub tests a hook. */
import type { Hook } from "./hook.ts";
import {
  type Repository,
  repositoryUrl,
  representRepository,
  representUser,
  timeText,
  type WireJsonObject,
  type World,
} from "../world/index.ts";

export function describePing(
  world: World,
  hook: Hook,
  repository: Repository | null,
): WireJsonObject {
  const base =
    repository === null ? `${world.apiUrl}/app/hook` : `${repositoryUrl(world, repository)}/hooks`;
  const url = repository === null ? base : `${base}/${String(hook.id)}`;
  const about: WireJsonObject = repository === null ? { app_id: world.app.id } : {};
  const where: WireJsonObject =
    repository === null ? {} : { repository: representRepository(world, repository) };
  return {
    zen: "Keep it logically awesome.",
    hook_id: hook.id,
    hook: {
      type: repository === null ? "App" : "Repository",
      id: hook.id,
      name: "web",
      active: true,
      events: hook.events,
      config: { content_type: "json", insecure_ssl: "0", url: hook.url },
      updated_at: timeText(hook.createdAt),
      created_at: timeText(hook.createdAt),
      url,
      ping_url: `${url}/pings`,
      deliveries_url: `${url}/deliveries`,
      ...about,
    },
    ...where,
    sender: representUser(world, repository?.owner ?? world.app.owner),
  };
}
