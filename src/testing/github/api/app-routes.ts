/** Routes of a GitHub App: installations and their tokens, deliveries and redelivery. */
import { addMillis, MILLISECOND } from "../../../model/instant.ts";
import {
  covers,
  GitHubFailure,
  notFound,
  PERMISSIONS,
  representApp,
  representInstallation,
  representRepository,
  timeText,
  type WireJson,
  type WireJsonObject,
} from "../world/index.ts";
import type { Delivery, Hook } from "../webhooks/index.ts";
import { actorOf, checkApp, callerInstallation } from "./access.ts";
import { type RouteAnswer, type Call, ok, repositoryOf } from "./call.ts";
import { answerCursorPage, answerPage, choiceOf } from "./pages.ts";

export function readApp(call: Call): RouteAnswer {
  checkApp(call.caller);
  const installations = call.world.installations().length;
  return ok({ ...representApp(call.world), installations_count: installations });
}

export function listInstallations(call: Call): RouteAnswer {
  checkApp(call.caller);
  return answerPage(call, call.world.installations(), (installation) =>
    representInstallation(call.world, installation),
  );
}

export function readInstallation(call: Call): RouteAnswer {
  checkApp(call.caller);
  return ok(representInstallation(call.world, installationById(call)));
}

export function readRepositoryInstallation(call: Call): RouteAnswer {
  checkApp(call.caller);
  const { repositoryId, owner = "", repo = "" } = call.params;
  // Not through `repositoryOf`: that would hide a private repository from the app, which has no token for it.
  const repository =
    repositoryId === undefined
      ? call.world.repositoryByName(`${owner}/${repo}`)?.repository
      : call.world.repositoryById(repositoryId);
  const installation = repository === undefined ? undefined : call.world.installationOf(repository);
  if (installation === undefined) throw notFound();
  return ok(representInstallation(call.world, installation));
}

export function createInstallationToken(call: Call): RouteAnswer {
  checkApp(call.caller);
  const installation = installationById(call);
  if (installation.suspendedAt !== null) {
    throw new GitHubFailure(403, "This installation has been suspended");
  }
  const { token, expiresAt } = call.access.mint(installation);
  return {
    status: 201,
    body: {
      token,
      expires_at: timeText(expiresAt),
      permissions: PERMISSIONS,
      repository_selection: installation.repositories === "all" ? "all" : "selected",
    },
  };
}

export function listInstallationRepositories(call: Call): RouteAnswer {
  const installation = callerInstallation(call.caller);
  const covered = call.world.repositories().filter((entry) => covers(installation, entry));
  return answerPage(
    call,
    covered,
    (repository) => representRepository(call.world, repository),
    (page) => ({ total_count: covered.length, repositories: page }),
  );
}

export function listAppDeliveries(call: Call): RouteAnswer {
  checkApp(call.caller);
  return listDeliveries(call, (hook) => hook.repositoryId === null);
}

export function readAppDelivery(call: Call): RouteAnswer {
  checkApp(call.caller);
  return ok(representDelivery(deliveryOf(call, (hook) => hook.repositoryId === null)));
}

export function redeliverAppDelivery(call: Call): RouteAnswer {
  checkApp(call.caller);
  return redeliver(call, (hook) => hook.repositoryId === null);
}

export function listHookDeliveries(call: Call): RouteAnswer {
  return listDeliveries(call, hookFilter(call));
}

export function readHookDelivery(call: Call): RouteAnswer {
  return ok(representDelivery(deliveryOf(call, hookFilter(call))));
}

export function redeliverHookDelivery(call: Call): RouteAnswer {
  return redeliver(call, hookFilter(call));
}

type HookFilter = (hook: Hook) => boolean;

/** The hook that the path names, for callers who may write. */
function hookFilter(call: Call): HookFilter {
  const repository = repositoryOf(call, "write");
  actorOf(call.caller);
  const hook = call.webhooks.hook(call.params.hookId ?? "");
  if (hook?.repositoryId !== repository.id) throw notFound();
  return (candidate) => candidate.id === hook.id;
}

/** Ended deliveries, newest first. */
function listDeliveries(call: Call, wanted: HookFilter): RouteAnswer {
  const outcome = choiceOf(call, "status", ["success", "failure", ""], "");
  const listed = call.webhooks
    .deliveries()
    .filter(
      (delivery) =>
        isListed(call, delivery, wanted) && (outcome === "" || outcomeOf(delivery) === outcome),
    )
    .sort((a, b) => (b.sentAt ?? 0) - (a.sentAt ?? 0) || (b.id > a.id ? 1 : -1));
  return answerCursorPage(call, listed, (delivery) => representDeliveryItem(delivery));
}

function outcomeOf({ statusCode }: Delivery): "success" | "failure" {
  return statusCode >= 200 && statusCode < 400 ? "success" : "failure";
}

/** GitHub keeps deliveries for three days. */
const KEPT_MS = 3 * 24 * 3_600_000;

function isListed(call: Call, delivery: Delivery, wanted: HookFilter): boolean {
  const { state, sentAt } = delivery;
  const hasEnded = state === "delivered" || state === "failed";
  if (!hasEnded || sentAt === null || !belongs(call, delivery, wanted)) return false;
  return sentAt >= addMillis(call.world.clock.now(), -KEPT_MS);
}

function redeliver(call: Call, wanted: HookFilter): RouteAnswer {
  call.webhooks.redeliver(deliveryOf(call, wanted).id);
  return { status: 202, body: {} };
}

function deliveryOf(call: Call, wanted: HookFilter): Delivery {
  const delivery = call.webhooks.delivery(call.params.id ?? "");
  if (delivery === undefined || !belongs(call, delivery, wanted)) throw notFound();
  return delivery;
}

function belongs(call: Call, delivery: Delivery, wanted: HookFilter): boolean {
  const hook = call.webhooks.hook(delivery.hookId);
  return hook !== undefined && wanted(hook);
}

function installationById(call: Call): ReturnType<typeof callerInstallation> {
  const found = call.world
    .installations()
    .find((installation) => String(installation.id) === call.params.id);
  if (found === undefined) throw notFound();
  return found;
}

function representDeliveryItem(delivery: Delivery): WireJsonObject {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: timeText(delivery.sentAt ?? delivery.createdAt),
    redelivery: delivery.redelivery,
    duration: (delivery.durationMs * MILLISECOND) / 1_000_000,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
  };
}

function representDelivery(delivery: Delivery): WireJsonObject {
  // The cast is safe: the simulator itself wrote the body as JSON.
  const payload = JSON.parse(delivery.body) as WireJson;
  const { response } = delivery;
  return {
    ...representDeliveryItem(delivery),
    url: "",
    request: { headers: { ...delivery.headers }, payload },
    response: {
      headers: response === null ? null : { ...response.headers },
      payload: response?.body ?? null,
    },
  };
}
