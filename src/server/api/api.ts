/** The API behind the dashboard, the CLI and `curl`. Its shapes are in `protocol/api-types.ts`. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { TandemCore } from "../../compose.ts";
import { cancelByHand, liveEvents, restart, unchanged } from "../../engine/lane/index.ts";
import type { TandemEvent } from "../../model/event.ts";
import { actOf, hint } from "../../model/acts/hint.ts";
import { connectionId } from "../../model/ids.ts";
import { addMillis, formatInstant } from "../../model/instant.ts";
import type { Lane, Transition } from "../../model/lane.ts";
import { FOREIGN_REMEDY } from "../../runtime/safety/index.ts";
import type { EventQuery, LedgerEvent } from "../../store/ledger.ts";
import { actIn, addAccessRoutes, type ApiEnv, auditActs, wasAudited } from "../access/index.ts";
import {
  type ApiEvents,
  type ApiStatus,
  badQuery,
  problem,
  refuseMalformed,
  representAccount,
  representBackfill,
  representConnection,
  representDisabled,
  representEvent,
  representHeldRun,
} from "../protocol/index.ts";
import { explain } from "./explain.ts";
import { explainNothing } from "./explain-nothing.ts";
import { createLedgerFeed } from "./ledger-feed.ts";
import { addReconcileRoutes } from "./reconcile-routes.ts";
import { VERSION } from "../../version.ts";

/** How many disabled pairings the status names. */
const DISABLED_SHOWN = 20;
/** The status counts webhooks that were refused within this time. */
const REFUSALS_SHOWN_MS = 24 * 3_600_000;

const states = [
  "queued",
  "processing",
  "completed",
  "errored",
  "canceled",
  "ignored",
  "duplicate",
  "disabled",
] as const;

const listing = z.object({
  state: z.enum(states).optional(),
  direction: z.enum(["inbound", "outbound"]).optional(),
  record: z
    .string()
    .regex(/^[^:]+:.+$/, "record is written as table:id, for example tasks:42")
    .optional(),
  connection: z
    .string()
    .regex(/^\d{1,18}$/, "a connection's id is a number")
    .optional(),
  before: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export function createApi(core: TandemCore, basePath: string): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();
  const { ledger, directory } = core.services.store;
  const feed = createLedgerFeed(core, () => statusOf(core));

  api.use("*", async (context, next) => {
    const refusal = refuseMalformed(context.req.raw, basePath);
    if (refusal !== null) return refusal;
    await next();
    return undefined;
  });
  api.use("*", auditActs(core.services));

  api.get("/status", async (context) => context.json(await statusOf(core)));

  api.get("/events", async (context) => {
    const parsed = listing.safeParse(context.req.query());
    if (!parsed.success) {
      return badQuery(parsed.error, actOf("events.filter"));
    }
    const events = await ledger.events(queryOf(parsed.data));
    const next = events.length === parsed.data.limit ? (events.at(-1)?.id ?? null) : null;
    const body: ApiEvents = { events: events.map(representEvent), next };
    return context.json(body);
  });

  api.get("/events/:id", async (context) => {
    const event = await findEvent(core, context.req.param("id"));
    return event === null ? noEvent(context.req.param("id")) : context.json(representEvent(event));
  });

  api.post("/events/:id/restart", (context) =>
    changeEvent(core, context, ["errored"], (lane, event, now) =>
      restart(unchanged(lane), event, now),
    ),
  );

  api.post("/events/:id/cancel", (context) =>
    changeEvent(core, context, ["queued", "errored"], (lane, event, now) =>
      cancelByHand(unchanged(lane), event, now),
    ),
  );

  api.get("/explain/:type/:id", async (context) => {
    const { type, id } = context.req.param();
    const explanation = await explain(core, type, id);
    if (explanation !== null) return context.json(explanation);
    return problem(
      404,
      "not_paired",
      `${type} ${id} has no counterpart and no event`,
      await explainNothing(core, type, id),
    );
  });

  api.post("/connections/:id/pause", async (context) => {
    const id = connectionId(context.req.param("id"));
    if (!(await exists(core, id))) return noConnection(id);
    await core.pause(id, "paused by hand");
    return context.json(await statusOf(core));
  });

  api.post("/connections/:id/enable", async (context) => {
    const id = connectionId(context.req.param("id"));
    if (!(await exists(core, id))) return noConnection(id);
    await core.enable(id);
    return context.json(await statusOf(core));
  });

  api.post("/records/:type/:id/enable", async (context) => {
    const { type, id } = context.req.param();
    if ((await core.enableRecord(type, id)) === 0) {
      return problem(
        409,
        "not_disabled",
        `${type} ${id} has no disabled pairing`,
        hint`${actOf("status.show")} lists disabled pairings; a connection is enabled by its own id.`,
      );
    }
    return context.json(await explain(core, type, id));
  });

  const words = [
    ["approve", (id: string) => core.approve(id)],
    ["reject", (id: string) => core.reject(id)],
  ] as const;
  for (const [word, say] of words) {
    api.post(`/runs/:id/${word}`, async (context) => {
      const id = context.req.param("id");
      if (await say(id)) return context.json(await statusOf(core));
      return problem(
        404,
        "no_held_run",
        `no run ${id} waits for approval`,
        hint`List held runs with ${actOf("status.show")}. A run whose plan became harmless is withdrawn automatically.`,
      );
    });
  }

  api.post("/instance/approve", async (context) => {
    await core.approveInstance();
    return context.json(await statusOf(core));
  });

  addReconcileRoutes(
    api,
    core,
    async (id) => (await refuseForeign()) ?? ((await exists(core, id)) ? null : noConnection(id)),
  );

  api.post("/sync", async (context) => {
    const refused = await refuseForeign();
    if (refused !== null) return refused;
    await core.syncNow();
    return context.json(await statusOf(core));
  });

  addAccessRoutes(api, core);

  api.get("/stream", (context) => feed.open(context.req.raw.signal, context.get("entry").session));

  /** A copy of a database must not act before a person approves it. */
  async function refuseForeign(): Promise<Response | null> {
    const foreign = await core.services.instance.checkIdentity();
    if (foreign === null) return null;
    return problem(409, "foreign_instance", foreign, FOREIGN_REMEDY);
  }

  async function exists(tandem: TandemCore, id: string): Promise<boolean> {
    const connections = await tandem.services.store.directory.connections();
    return connections.some((connection) => connection.id === id);
  }

  async function statusOf(tandem: TandemCore): Promise<ApiStatus> {
    const [accounts, connections, counts, deliveries, now] = await Promise.all([
      directory.accounts(),
      directory.connections(),
      ledger.counts(),
      tandem.services.store.deliveries.counts(),
      ledger.now(),
    ]);
    const [backfills, disabled, runs, missed, foreign, misfit, refused] = await Promise.all([
      tandem.backfills(),
      ledger.disabledPairings(DISABLED_SHOWN),
      tandem.services.store.heldRuns.open(),
      tandem.services.store.redeliveries.counts(),
      tandem.services.instance.storedRefusal(),
      tandem.services.store.schemaMismatch(),
      tandem.services.store.refusals.since(addMillis(now, -REFUSALS_SHOWN_MS)),
    ]);
    return {
      now: formatInstant(now),
      database: tandem.services.store.kind,
      version: VERSION,
      working: tandem.working(),
      misfit,
      accounts: accounts.map(representAccount),
      connections: connections.flatMap((connection) => {
        const account = accounts.find((candidate) => candidate.id === connection.accountId);
        return account === undefined ? [] : [representConnection(connection, account)];
      }),
      live: counts.live,
      foreign_instance: foreign,
      backfills: backfills
        .filter(({ step }) => step !== "done")
        .map((backfill) => representBackfill(backfill, connections)),
      held_runs: runs.map((run) => representHeldRun(run, connections)),
      disabled_pairings: {
        count: disabled.count,
        first: disabled.pairings.map((pairing) => representDisabled(pairing, connections)),
      },
      undrained: counts.undrained,
      deliveries,
      missed_deliveries: missed,
      refused_webhooks: refused.map(({ lastAt, ...one }) => ({
        ...one,
        last_at: formatInstant(lastAt),
      })),
    };
  }

  return api;
}

function queryOf(listed: z.infer<typeof listing>): EventQuery {
  const [type, ...rest] = listed.record?.split(":") ?? [];
  return {
    limit: listed.limit,
    ...(listed.state === undefined ? {} : { state: listed.state }),
    ...(listed.direction === undefined ? {} : { direction: listed.direction }),
    ...(listed.connection === undefined ? {} : { connectionId: connectionId(listed.connection) }),
    ...(listed.before === undefined ? {} : { before: listed.before }),
    ...(type === undefined ? {} : { record: { type, id: rest.join(":") } }),
  };
}

async function findEvent(core: TandemCore, id: string): Promise<LedgerEvent | null> {
  const [event] = await core.services.store.ledger.events({ id, limit: 1 });
  return event ?? null;
}

/** Restarts or cancels a live event, if its state allows it. */
async function changeEvent(
  core: TandemCore,
  context: Context<ApiEnv, "/events/:id/:move">,
  from: readonly TandemEvent["state"][],
  change: (lane: Lane, event: TandemEvent, now: Parameters<typeof restart>[2]) => Transition,
): Promise<Response> {
  const id = context.req.param("id");
  const found = await findEvent(core, id);
  if (found === null) return noEvent(id);
  const changed = await core.services.store.transaction(async (tx) => {
    const [lane] = found.laneId === null ? [] : await tx.lockLanes([found.laneId]);
    const live = lane === undefined ? [] : from.flatMap((state) => liveEvents(lane, state));
    const event = live.find((candidate) => candidate.id === id);
    if (lane === undefined || event === undefined) return false;
    await tx.saveLanes([{ before: lane, after: change(lane, event, tx.now) }]);
    await actIn(tx, context);
    return true;
  });
  if (changed) wasAudited(context);
  else {
    return problem(
      409,
      "wrong_state",
      `the event is ${found.state}; this is possible only while it is ${from.join(" or ")}`,
      found.state === "processing"
        ? "A worker is processing it: look again in a moment."
        : "Terminal events are history and never change; a new observation makes a new event.",
    );
  }
  const after = await findEvent(core, id);
  return after === null ? noEvent(id) : Response.json(representEvent(after));
}

function noEvent(id: string): Response {
  return problem(
    404,
    "no_event",
    `there is no event ${id}`,
    hint`List them with ${actOf("events.list")}.`,
  );
}

function noConnection(id: string): Response {
  return problem(
    404,
    "no_connection",
    `there is no connection ${id}`,
    hint`List them with ${actOf("status.show")}.`,
  );
}
