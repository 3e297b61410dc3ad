/** Routes for logins and the audit, used by `tandem sessions`, `tandem audit` and the dashboard. */
import type { Context, Hono } from "hono";
import { z } from "zod";
import type { TandemCore } from "../../compose.ts";
import { actOf, hint } from "../../model/acts/hint.ts";
import { addMillis, formatInstant, type Instant } from "../../model/instant.ts";
import type { AuditEntry, AuditQuery } from "../../store/audit.ts";
import { type LoginSession, SESSION_AGE_MS, SESSION_IDLE_MS } from "../../store/sessions.ts";
import type { StoreTransaction } from "../../store/store.ts";
import {
  type ApiAct,
  type ApiAudit,
  type ApiSession,
  type ApiSessions,
  badQuery,
  problem,
} from "../protocol/index.ts";
import { actIn, type ApiEnv, wasAudited } from "./audit.ts";
import { setCookie } from "./session.ts";

const listing = z.object({
  act: z.string().optional(),
  before: z
    .string()
    .regex(/^\d{1,18}$/, "an act's id is a number")
    .optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export function addAccessRoutes(api: Hono<ApiEnv>, core: TandemCore): void {
  const { store } = core.services;

  api.get("/audit", async (context) => {
    const parsed = listing.safeParse(context.req.query());
    if (!parsed.success) {
      return badQuery(parsed.error, actOf("audit.filter"));
    }
    const { act, before, limit } = parsed.data;
    const query: AuditQuery = {
      limit,
      ...(act === undefined ? {} : { act }),
      ...(before === undefined ? {} : { before }),
    };
    const entries = await store.audit.entries(query);
    const next = entries.length === limit ? (entries.at(-1)?.id ?? null) : null;
    const body: ApiAudit = { acts: entries.map(representAct), next };
    return context.json(body);
  });

  api.get("/sessions", async (context) => context.json(await sessionsFor(context)));

  api.post("/sessions/revoke", async (context) => {
    await end(context, (tx) => tx.sessions.endAll().then(() => true), 200);
    return context.json(await sessionsFor(context));
  });

  api.post("/sessions/:id/revoke", async (context) => {
    const id = context.req.param("id");
    if (await end(context, (tx) => tx.sessions.end(id), 200)) {
      return context.json(await sessionsFor(context));
    }
    return problem(
      404,
      "no_session",
      `there is no login ${id}`,
      hint`It has ended or never existed: ${actOf("sessions.list")} lists active logins.`,
    );
  });

  api.post("/logout", async (context) => {
    const { session } = context.get("entry");
    if (session !== null) await end(context, (tx) => tx.sessions.end(session), 204);
    const headers = { "set-cookie": setCookie(context.req.raw, null) };
    return new Response(null, { status: 204, headers });
  });

  /** Ends sessions and writes the act in one transaction; `false`: no session has the id. */
  async function end(
    context: Context<ApiEnv>,
    work: (tx: StoreTransaction) => Promise<boolean>,
    status: number,
  ): Promise<boolean> {
    const found = await store.transaction(async (tx) => {
      if (!(await work(tx))) return false;
      await actIn(tx, context, status);
      return true;
    });
    if (found) wasAudited(context);
    return found;
  }

  async function sessionsFor(context: Context<ApiEnv>): Promise<ApiSessions> {
    const { session: own } = context.get("entry");
    const sessions = await store.sessions.list();
    return { sessions: sessions.map((session) => representSession(session, own)) };
  }
}

function representAct({ at, ...entry }: AuditEntry): ApiAct {
  return { ...entry, at: formatInstant(at) };
}

function representSession(session: LoginSession, own: string | null): ApiSession {
  const { id, origin, createdAt, usedAt } = session;
  return {
    id,
    origin,
    created_at: formatInstant(createdAt),
    used_at: formatInstant(usedAt),
    expires_at: formatInstant(expiryOf(session)),
    current: id === own,
  };
}

function expiryOf({ createdAt, usedAt }: LoginSession): Instant {
  const aged = addMillis(createdAt, SESSION_AGE_MS);
  const idle = addMillis(usedAt, SESSION_IDLE_MS);
  return aged < idle ? aged : idle;
}
