/** The request handler: receives webhooks, serves the API and the dashboard. */
import { Hono } from "hono";
import type { TandemCore } from "../compose.ts";
import { ConfigError } from "../config.ts";
import { LARGEST_PAYLOAD_BYTES, receive, receiveInBatches } from "../runtime/receive/index.ts";
import { sayHint } from "../model/acts/hint.ts";
import { FOREIGN_REMEDY } from "../runtime/safety/index.ts";
import { inTime } from "../runtime/services/index.ts";
import { describeError } from "../runtime/failures/index.ts";
import { describeTrouble, isSchemaMissing, NoAnswerError } from "../store/database/index.ts";
import { type ApiEnv, callerOf, createAccess, type HandlerOptions } from "./access/index.ts";
import { createApi } from "./api/index.ts";
import { dashboardAssets } from "./assets.ts";
import { answerOutside, pathBelow } from "./base-path.ts";
import {
  BudgetSpentError,
  type ByteHold,
  createByteBudget,
  problem,
  readBody,
} from "./protocol/index.ts";
import { createMetrics } from "./metrics.ts";

/** How long a health probe waits for the database; most probes are less patient. */
const PROBE_MS = 5_000;

/** GitHub waits ten seconds. A refusal before that is listed there as failed, and can be redelivered. */
const RECEIVE_MS = 8_000;

/** How long a body may take: an unknown sender must not hold memory for longer. */
const BODY_MS = 10_000;
/** The most bytes for the bodies of all current requests: two of the largest, each with its text. */
const IN_FLIGHT_BYTES = 64 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 5;

/**
 * A web-standard handler. `bindings` is what `@hono/node-server` passes beside the request; without it,
 * the origin of a request is unknown.
 */
export type RequestHandler = (request: Request, bindings?: unknown) => Promise<Response>;

/** Builds the handler of an opened Tandem. */
export function createHandler(
  core: TandemCore,
  options: HandlerOptions,
  basePath: string,
): RequestHandler {
  const { app, failed } = createRouter(core, options, basePath);
  return async (request, bindings) => {
    try {
      const outside = answerOutside(request, basePath);
      if (outside !== null) return outside;
      return await app.fetch(request, objectOr(bindings));
    } catch (error) {
      // Hono rethrows values that are no errors; in an app they would end the process.
      return failed(error);
    }
  };
}

/** All routes, and the response to errors that they throw. */
export function createRouter(core: TandemCore, options: HandlerOptions, basePath = "") {
  if (options.apiToken === "") {
    throw new ConfigError(
      "empty_token",
      "apiToken",
      "is empty, so every client would have access",
      "Set a long random text, or leave it out: then only this machine can use the API.",
    );
  }
  const app = new Hono<ApiEnv>({ getPath: pathBelow(basePath) });
  const assets = dashboardAssets();
  const metrics = createMetrics(core);
  const { log, store } = core.services;
  const storeDelivery = receiveInBatches(core.receive);

  const budget = createByteBudget(IN_FLIGHT_BYTES);
  app.post("/webhooks/:integration", async (context) => {
    const integration = context.req.param("integration");
    const hold = budget.open();
    try {
      return await take(integration, context.req.raw, hold);
    } catch (error) {
      if (error instanceof BudgetSpentError) {
        return refuse(integration, "receiver_full", noRoom(error));
      }
      if (error instanceof SlowBodyError) return refuse(integration, "body_too_slow", tooSlow());
      noteRefusal(integration, describeTrouble(error)?.code ?? "unavailable");
      throw error;
    } finally {
      hold.release();
    }
  });

  function refuse(integration: string, code: string, answer: Response): Response {
    noteRefusal(integration, code);
    return answer;
  }

  function noteRefusal(integration: string, code: string): void {
    metrics.refused(integration, code);
    core.refused.note(integration, code);
  }

  async function take(integration: string, request: Request, hold: ByteHold): Promise<Response> {
    const { clock } = core.services;
    const reading = readBody(request, LARGEST_PAYLOAD_BYTES, hold);
    const body = await inTime(clock, BODY_MS, reading, () => new SlowBodyError());
    if (body === null) return refuse(integration, "payload_too_large", tooLarge());
    const receiving = receive(
      core.services,
      integration,
      request.headers,
      body,
      core.webhookSecrets,
      storeDelivery,
    );
    const receipt = await inTime(clock, RECEIVE_MS, receiving, () => new NoAnswerError(RECEIVE_MS));
    if (!receipt.ok) {
      const { status, code, message, hint } = receipt;
      return refuse(integration, code, problem(status, code, message, hint));
    }
    return Response.json(
      { delivery: receipt.id, seen_before: receipt.seenBefore },
      { status: 202 },
    );
  }

  app.get("/healthz", async (context) => {
    // Open a transaction, as storing a webhook does: a read-only database is not healthy.
    const { clock, instance } = core.services;
    const probed = store
      .transaction((tx) => Promise.resolve(tx.now))
      .then(() => instance.storedRefusal());
    const why = await inTime(clock, PROBE_MS, probed, () => new NoAnswerError(PROBE_MS));
    if (why === null) return context.json({ ok: true });
    // A foreign instance still stores webhooks, so the answer is 200.
    return context.json({
      ok: false,
      code: "foreign_instance",
      message: why,
      hint: sayHint(FOREIGN_REMEDY, "request"),
    });
  });

  const access = createAccess(core, options);
  app.post("/api/login", (context) => access.login(context.req.raw, callerOf(context.env)));
  for (const path of ["/api/*", "/metrics"]) {
    app.use(path, async (context, next) => {
      const entry = await access.admit(context.req.raw, callerOf(context.env));
      if (entry instanceof Response) return entry;
      context.set("entry", entry);
      await next();
      return undefined;
    });
  }
  app.get("/metrics", async (context) =>
    context.body(await metrics.read(), 200, { "content-type": metrics.contentType }),
  );
  app.route("/api", createApi(core, basePath));

  app.get("*", async (context) => {
    const asset = await assets(context.req.path, context.req.raw);
    return (
      asset ??
      problem(404, "no_such_page", `${context.req.path} does not exist`, `Start at ${basePath}/.`)
    );
  });
  app.notFound((context) =>
    problem(
      404,
      "no_such_route",
      `${context.req.method} ${context.req.path} does not exist`,
      `Start at ${basePath}/.`,
    ),
  );
  const failed = (error: unknown): Response => {
    const trouble = describeTrouble(error);
    const stack = error instanceof Error ? error.stack : undefined;
    log.error({ ...describeError(error), stack }, "a request failed");
    if (isSchemaMissing(error)) return notMigrated();
    return problem(
      503,
      trouble?.code ?? "unavailable",
      "the request failed",
      `${trouble === null ? "" : `${trouble.hint} `}The log shows the cause. If a webhook was not stored, the next poll finds its change, and the id sweep finds a deletion. For a GitHub App, Tandem also requests a redelivery.`,
    );
  };
  app.onError(failed);
  return { app, failed };
}

function notMigrated(): Response {
  return problem(
    503,
    "not_migrated",
    "this database has no tandem schema yet, or one of another version",
    "Run `tandem migrate`, or call `tandem.migrate()`. If it has run already, check that this is the right database. The log shows the cause.",
  );
}

class SlowBodyError extends Error {
  override readonly name = "SlowBodyError";
}

function noRoom(error: BudgetSpentError): Response {
  const refusal = problem(
    503,
    "receiver_full",
    error.message,
    "Send it again in a moment. The next poll finds the change of this delivery.",
  );
  refusal.headers.set("retry-after", String(RETRY_AFTER_SECONDS));
  return refusal;
}

function tooSlow(): Response {
  return problem(
    408,
    "body_too_slow",
    `the body did not arrive within ${String(BODY_MS / 1_000)} seconds`,
    "The next poll finds the change of this delivery.",
  );
}

function objectOr(bindings: unknown): object {
  return typeof bindings === "object" && bindings !== null ? bindings : {};
}

function tooLarge(): Response {
  return problem(
    413,
    "payload_too_large",
    `a payload may have at most ${String(LARGEST_PAYLOAD_BYTES)} bytes`,
    "The next poll finds the change of this delivery.",
  );
}
