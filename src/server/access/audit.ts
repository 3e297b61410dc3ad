/**
 * The audit of the API: each request that may change something writes one row, with any outcome.
 *
 * 1. A route that reads is a GET; all other routes are audited by default. A new route cannot forget it.
 * 2. A route that works in one transaction writes the row there (`actIn`). Other rows are written after the response.
 * 3. A row has ids and names, and no content of a request.
 */
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Services } from "../../runtime/services/index.ts";
import { describeError } from "../../runtime/failures/index.ts";
import type { Act } from "../../store/audit.ts";
import type { StoreTransaction } from "../../store/store.ts";
import type { Entry } from "./caller.ts";

/** The variables that the handler attaches to a request. */
export interface ApiEnv {
  Variables: {
    readonly entry: Entry;
    /** Whether the row was written in the act's own transaction. */
    readonly isAudited: boolean;
  };
}

const LONGEST_TEXT = 200;

/** Prepares a text for the audit's columns. */
export function auditText(text: string): string {
  return text.replaceAll("\0", "").slice(0, LONGEST_TEXT);
}

/** Appends the row after the act. The act is done, so a failure is logged with the row's values, not returned. */
export async function recordAct(
  { store, log }: Pick<Services, "store" | "log">,
  act: Act,
): Promise<void> {
  try {
    await store.audit.append(act);
  } catch (error) {
    log.error({ ...describeError(error), ...act }, "an act could not be written to the audit");
  }
}

/** Appends the row of an act in the act's own transaction. */
export async function actIn(
  tx: Pick<StoreTransaction, "audit">,
  context: Context<ApiEnv>,
  status = 200,
): Promise<void> {
  const act = actOf(context, status);
  if (act !== null) await tx.audit.append(act);
}

/** Marks a request whose row was committed in the act's transaction, so that no second row follows. */
export function wasAudited(context: Context<ApiEnv>): void {
  context.set("isAudited", true);
}

/** Audits all requests that may change something. */
export function auditActs(services: Pick<Services, "store" | "log">): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    await next();
    if (context.get("isAudited")) return;
    const act = actOf(context, context.res.status);
    if (act !== null) await recordAct(services, act);
  };
}

/** The act of a request; `null` if it only reads, or matches no route. */
function actOf(context: Context<ApiEnv>, status: number): Act | null {
  const { method, path } = context.req;
  const route = matchedRoutes(context).find((one) => one.method === method);
  if (method === "GET" || route === undefined) return null;
  const isDry = context.req.query("dry_run") === "true";
  const { act, subject } = nameAct(route.path, path);
  const { actor, origin } = context.get("entry");
  return { actor, act: isDry ? `${act}.dry_run` : act, subject, origin, status };
}

/**
 * Names an act by its route: `/api/connections/:id/pause` is `connection.pause` of that id.
 * `/api/sessions/revoke` concerns all sessions, so it is `sessions.revoke`.
 */
export function nameAct(route: string, path: string): Pick<Act, "act" | "subject"> {
  const places = segmentsOf(route);
  const given = segmentsOf(path);
  const isParameter = (place: string | undefined): boolean => place?.startsWith(":") === true;
  const words = places.flatMap((place, at) => {
    if (isParameter(place)) return [];
    return isParameter(places[at + 1]) ? [place.replace(/s$/, "")] : [place];
  });
  const subject = given.filter((_, at) => isParameter(places[at])).map(decodeURIComponent);
  return { act: words.join("."), subject: auditText(subject.join(":")) };
}

function segmentsOf(path: string): readonly string[] {
  return path.replace(/^.*?\/api\//, "").split("/");
}
