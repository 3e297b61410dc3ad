/** The demo's routes: the sample app's REST, a person at GitHub, the trouble buttons, the live state. */
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { callerOf, refuseElsewhere } from "../server/access/index.ts";
import { problem } from "../server/protocol/index.ts";
import { GitHubFailure } from "../testing/github/index.ts";
import type { DemoState } from "./api-types.ts";
import type { GitHubPane } from "./github-pane.ts";
import { type SampleApp, TASK_STATUSES } from "./sample-app.ts";
import type { StateFeed } from "./state-feed.ts";
import { NothingToEdit, type Troubles } from "./trouble.ts";

export interface DemoParts {
  readonly app: SampleApp;
  /** `null` with the real GitHub, where issues are edited on its own pages. */
  readonly pane: GitHubPane | null;
  readonly troubles: Troubles;
  readonly feed: StateFeed;
}

const id = z.string().regex(/^\d{1,18}$/);
const title = z.string().trim().min(1).max(256);
const text = z.string().max(60_000);
const newTask = z.object({
  title,
  markdown: text.optional(),
  status: z.enum(TASK_STATUSES).optional(),
});
const taskComment = z.object({ markdown: text.min(1) });
const newIssue = z.object({ title, body: text.default("") });
const issueChanges = z.object({
  title: title.optional(),
  body: text.optional(),
  state: z.enum(["open", "closed"]).optional(),
});
const issueComment = z.object({ body: text.min(1) });
const move = z.object({ direction: z.enum(["up", "down"]) });
const press = z.object({ on: z.boolean().default(false) });
const trouble = z.enum([
  "drop-webhooks",
  "duplicate-webhooks",
  "reorder-webhooks",
  "api-down",
  "rate-limit",
  "two-edits-in-one-second",
  "edit-both-sides",
  "lost-answer",
  "kill-worker",
  "restart-worker",
  "poll-now",
]);

export function demoRoutes({ app, pane, troubles, feed }: DemoParts): Hono {
  const routes = new Hono();

  routes.use(async (context, next) => {
    const refusal = refuseStrangers(context);
    if (refusal !== null) return refusal;
    await next();
    if (context.req.method !== "GET") feed.nudge();
    return undefined;
  });

  routes.get("/state", async (context) => context.json(await feed.read()));
  routes.get("/stream", (context) =>
    streamSSE(context, async (stream) => {
      const send = (state: DemoState): Promise<void> =>
        stream.writeSSE({ event: "state", data: JSON.stringify(state) });
      await feed.follow(send, (stop) => {
        stream.onAbort(stop);
      });
    }),
  );
  routes.post("/trouble/:id", async (context) => {
    const { on } = await body(context, press);
    await troubles.press(trouble.parse(context.req.param("id")), on);
    return done(context);
  });
  routes.route("/app", appRoutes(app));
  if (pane !== null) routes.route("/github", githubRoutes(pane));

  routes.notFound(() =>
    problem(404, "not_found", "This route does not exist.", "See src/demo/routes.ts."),
  );
  routes.onError((error) => {
    if (error instanceof z.ZodError) {
      return problem(400, "invalid", z.prettifyError(error), "Correct it and try again.");
    }
    if (error instanceof GitHubFailure) {
      return problem(422, "refused", `GitHub refuses: ${error.message}`, "");
    }
    if (error instanceof NothingToEdit) {
      return problem(409, "nothing_to_edit", error.message, "Add a task first.");
    }
    throw error;
  });
  return routes;
}

function appRoutes(app: SampleApp): Hono {
  const routes = new Hono();
  routes.get("/tasks", async (context) => context.json(await app.tasks()));
  routes.post("/tasks", async (context) =>
    context.json({ id: await app.createTask(await body(context, newTask)) }, 201),
  );
  routes.patch("/tasks/:id", async (context) =>
    found(context, await app.updateTask(idOf(context), await body(context, newTask.partial()))),
  );
  routes.post("/tasks/:id/move", async (context) =>
    found(context, await app.moveTask(idOf(context), (await body(context, move)).direction)),
  );
  routes.delete("/tasks/:id", async (context) =>
    found(context, await app.deleteTask(idOf(context))),
  );
  routes.post("/tasks/:id/comments", async (context) => {
    const { markdown } = await body(context, taskComment);
    return found(context, (await app.addComment(idOf(context), markdown)) !== null);
  });
  routes.patch("/comments/:id", async (context) => {
    const { markdown } = await body(context, taskComment);
    return found(context, await app.updateComment(idOf(context), markdown));
  });
  routes.delete("/comments/:id", async (context) =>
    found(context, await app.deleteComment(idOf(context))),
  );
  return routes;
}

function githubRoutes(pane: GitHubPane): Hono {
  const routes = new Hono();
  const number = (context: Context): number => Number(idOf(context));
  routes.get("/issues", (context) => context.json(pane.issues()));
  routes.post("/issues", async (context) =>
    context.json({ number: pane.openIssue(await body(context, newIssue)) }, 201),
  );
  routes.patch("/issues/:id", async (context) => {
    pane.editIssue(number(context), await body(context, issueChanges));
    return done(context);
  });
  routes.delete("/issues/:id", (context) => {
    pane.deleteIssue(number(context));
    return done(context);
  });
  routes.post("/issues/:id/comments", async (context) => {
    pane.comment(number(context), (await body(context, issueComment)).body);
    return done(context);
  });
  routes.patch("/comments/:id", async (context) => {
    pane.editComment(idOf(context), (await body(context, issueComment)).body);
    return done(context);
  });
  routes.delete("/comments/:id", (context) => {
    pane.deleteComment(idOf(context));
    return done(context);
  });
  return routes;
}

/** The same rule as for the API: no other page in the browser may read or edit. */
function refuseStrangers(context: Context): Response | null {
  const refusal = refuseElsewhere(context.req.raw, callerOf(context.env));
  if (refusal !== null || context.req.method === "GET") return refusal;
  // Before a browser sends JSON to another origin it asks; other content types need no permission.
  if (context.req.header("content-type")?.startsWith("application/json") === true) return null;
  return problem(
    415,
    "not_json",
    "This route accepts JSON only.",
    "Send content-type application/json.",
  );
}

async function body<T>(context: Context, shape: z.ZodType<T>): Promise<T> {
  const sent: unknown = await context.req.json().catch(() => null);
  return shape.parse(sent);
}

function idOf(context: Context): string {
  return id.parse(context.req.param("id"));
}

function done(context: Context): Response {
  return context.body(null, 204);
}

function found(context: Context, there: boolean): Response {
  if (there) return done(context);
  return problem(
    404,
    "not_found",
    "The task, issue or comment does not exist.",
    "It was deleted: reload the page.",
  );
}
