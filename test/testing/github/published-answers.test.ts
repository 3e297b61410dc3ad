/** Every route and every webhook, held against GitHub's own published description. */
import { beforeEach, describe, expect, it } from "vitest";
import { answerErrors, componentErrors, webhookErrors } from "./published-schemas.ts";
import { setStage, SITE, type Stage } from "./stage.ts";

const JWT = "e30.eyJpc3MiOjEwMDF9.c2ln";
const ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}";
const COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}";

describe("answers as GitHub describes them", { timeout: 30_000 }, () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = setStage();
    const { sim } = stage;
    sim.createUser({ login: "hubot" });
    sim.installApp("acme");
    const mona = sim.as("mona");
    mona.openIssue("acme/site", {
      title: "Broken link",
      body: "On the front page.",
      labels: ["bug", "needs triage"],
      assignees: ["hubot"],
    });
    mona.openIssue("acme/site", { title: "No body" });
    mona.openPullRequest("acme/site", { title: "Mend the link", body: "Closes #1" });
    mona.comment("acme/site", 1, "Still broken.");
    mona.closeIssue("acme/site", 2, "not_planned");
    await stage.pass(50);
  });

  const routes: [method: string, route: string, path: string, status: number, json?: unknown][] = [
    ["get", "/", "/", 200],
    ["get", "/rate_limit", "/rate_limit", 200],
    ["get", "/user", "/user", 200],
    ["get", "/users/{username}", "/users/mona", 200],
    ["get", "/users/{username}", "/users/nobody", 404],
    ["get", "/repos/{owner}/{repo}", SITE, 200],
    ["get", "/repos/{owner}/{repo}", "/repos/acme/other", 404],
    ["get", "/repos/{owner}/{repo}/issues", `${SITE}/issues?state=all`, 200],
    ["get", "/repos/{owner}/{repo}/issues", `${SITE}/issues?state=neither`, 422],
    ["post", "/repos/{owner}/{repo}/issues", `${SITE}/issues`, 201, { title: "New" }],
    ["post", "/repos/{owner}/{repo}/issues", `${SITE}/issues`, 422, { title: " " }],
    ["post", "/repos/{owner}/{repo}/issues", `${SITE}/issues`, 422, {}],
    ["get", ISSUE, `${SITE}/issues/1`, 200],
    ["get", ISSUE, `${SITE}/issues/2`, 200],
    ["get", ISSUE, `${SITE}/issues/3`, 200],
    ["get", ISSUE, `${SITE}/issues/99`, 404],
    ["patch", ISSUE, `${SITE}/issues/1`, 200, { title: "Mended link", state: "closed" }],
    ["patch", ISSUE, `${SITE}/issues/1`, 422, { assignees: ["nobody"] }],
    ["get", `${ISSUE}/comments`, `${SITE}/issues/1/comments`, 200],
    ["post", `${ISSUE}/comments`, `${SITE}/issues/1/comments`, 201, { body: "Seen." }],
    ["post", `${ISSUE}/comments`, `${SITE}/issues/1/comments`, 422, { body: "" }],
    ["get", "/repos/{owner}/{repo}/issues/comments", `${SITE}/issues/comments`, 200],
    ["get", COMMENT, `${SITE}/issues/comments/2900000001`, 200],
    ["get", COMMENT, `${SITE}/issues/comments/1`, 404],
    ["patch", COMMENT, `${SITE}/issues/comments/2900000001`, 200, { body: "Mended." }],
    ["delete", COMMENT, `${SITE}/issues/comments/2900000001`, 204],
    ["get", `${ISSUE}/labels`, `${SITE}/issues/1/labels`, 200],
    ["post", `${ISSUE}/labels`, `${SITE}/issues/1/labels`, 200, { labels: ["question"] }],
    ["put", `${ISSUE}/labels`, `${SITE}/issues/1/labels`, 200, ["question"]],
    ["delete", `${ISSUE}/labels/{name}`, `${SITE}/issues/1/labels/needs%20triage`, 200],
    ["delete", `${ISSUE}/labels/{name}`, `${SITE}/issues/1/labels/absent`, 404],
    ["delete", `${ISSUE}/labels`, `${SITE}/issues/1/labels`, 204],
    ["post", `${ISSUE}/assignees`, `${SITE}/issues/1/assignees`, 201, { assignees: ["mona"] }],
    ["delete", `${ISSUE}/assignees`, `${SITE}/issues/1/assignees`, 200, { assignees: ["hubot"] }],
    ["put", `${ISSUE}/lock`, `${SITE}/issues/1/lock`, 204, { lock_reason: "spam" }],
    ["delete", `${ISSUE}/lock`, `${SITE}/issues/1/lock`, 204],
    ["get", "/repos/{owner}/{repo}/pulls/{pull_number}", `${SITE}/pulls/3`, 200],
    ["get", "/repos/{owner}/{repo}/assignees", `${SITE}/assignees`, 200],
    ["get", "/repos/{owner}/{repo}/labels", `${SITE}/labels`, 200],
  ];

  it.each(routes)("%s %s: %s answers %i", async (method, route, path, status, json) => {
    const reply = await stage.ask(method.toUpperCase(), path, { json });
    expect(reply.status).toBe(status);
    expect(answerErrors(method, route, status, reply.body)).toEqual([]);
  });

  it("answers the app", async () => {
    const { ask, sim } = stage;
    const app = { token: JWT };
    const [first] = sim.deliveries;
    const id = String(first?.id);
    const installation = await ask("GET", `${SITE}/installation`, app);
    const installationId = String((installation.body as { id: number }).id);
    const minted = await ask("POST", `/app/installations/${installationId}/access_tokens`, app);
    const { token } = minted.body as { token: string };
    const replies = [
      ["get", "/app", await ask("GET", "/app", app)],
      ["get", "/repos/{owner}/{repo}/installation", installation],
      ["post", "/app/installations/{installation_id}/access_tokens", minted],
      [
        "get",
        "/installation/repositories",
        await ask("GET", "/installation/repositories", { token }),
      ],
      ["get", "/app/hook/deliveries", await ask("GET", "/app/hook/deliveries", app)],
      [
        "get",
        "/app/hook/deliveries/{delivery_id}",
        await ask("GET", `/app/hook/deliveries/${id}`, app),
      ],
      [
        "post",
        "/app/hook/deliveries/{delivery_id}/attempts",
        await ask("POST", `/app/hook/deliveries/${id}/attempts`, app),
      ],
    ] as const;
    for (const [method, route, reply] of replies) {
      const errors = answerErrors(method, route, reply.status, reply.body);
      expect({ route, errors }).toEqual({ route, errors: [] });
      expect(reply.status).toBeLessThan(300);
    }
    // The description of this list asks that an account be a user and an enterprise at once; that of
    // a single installation has it right.
    const list = await ask("GET", "/app/installations", app);
    const [only] = list.body as unknown[];
    expect(componentErrors("installation", only)).toEqual([]);
  });

  it("answers the hook of a repository", async () => {
    const { ask, sim, pass } = stage;
    const hook = sim.addHook({
      secret: "s",
      repository: "acme/site",
      deliver: () => new Response("ok"),
    });
    sim.as("mona").openIssue("acme/site", { title: "Told twice" });
    await pass(50);
    const route = "/repos/{owner}/{repo}/hooks/{hook_id}/deliveries";
    const path = `${SITE}/hooks/${String(hook.id)}/deliveries`;
    const list = await ask("GET", path);
    expect(answerErrors("get", route, list.status, list.body)).toEqual([]);
    const [first] = list.body as { id: number; event: string; repository_id: number }[];
    expect(first).toMatchObject({ event: "issues", installation_id: null });
    const one = await ask("GET", `${path}/${String(first?.id)}`);
    expect(answerErrors("get", `${route}/{delivery_id}`, one.status, one.body)).toEqual([]);
    const again = await ask("POST", `${path}/${String(first?.id)}/attempts`);
    expect(answerErrors("post", `${route}/{delivery_id}/attempts`, 202, again.body)).toEqual([]);
  });

  it("finds what is wrong, lest these tests prove nothing", async () => {
    const { body } = await stage.ask("GET", `${SITE}/issues/1`);
    const issue = body as Record<string, unknown>;
    expect(answerErrors("get", ISSUE, 200, { ...issue, id: "7" })).toEqual(["/id must be integer"]);
    expect(answerErrors("get", ISSUE, 200, { ...issue, updated_at: "today" })).not.toEqual([]);
    expect(answerErrors("get", ISSUE, 418, issue)).not.toEqual([]);
    expect(webhookErrors("issues$opened", { action: "opened", issue })).not.toEqual([]);
  });

  it("answers failures", async () => {
    const { ask, sim } = stage;
    sim.as("mona").deleteIssue("acme/site", 2);
    const deleted = await ask("GET", `${SITE}/issues/2`);
    expect(deleted.status).toBe(410);
    expect(deleted.body).toMatchObject({ message: "This issue was deleted" });
    expect(answerErrors("get", ISSUE, 410, deleted.body)).toEqual([]);
    const stranger = await ask("GET", "/user", { token: "ghp_unknown" });
    expect(stranger.status).toBe(401);
    expect(answerErrors("get", "/user", 401, stranger.body)).toEqual([]);
    expect(componentErrors("basic-error", stranger.body)).toEqual([]);
  });
});

describe("webhooks as GitHub describes them", { timeout: 30_000 }, () => {
  it("tells every change in a payload of the published form", async () => {
    const { sim, inbox, pass } = setStage();
    sim.createRepository({ owner: "acme", name: "shop", private: true });
    sim.installApp("acme");
    const mona = sim.as("mona");
    const { number } = mona.openIssue("acme/site", {
      title: "Broken link",
      body: "On the front page.",
      labels: ["bug"],
      assignees: ["mona"],
    });
    mona.editIssue("acme/site", number, { title: "Dead link", body: null });
    mona.addLabel("acme/site", number, "needs triage");
    mona.removeLabel("acme/site", number, "bug");
    mona.assign("acme/site", number, "hubot");
    mona.unassign("acme/site", number, "mona");
    mona.closeIssue("acme/site", number);
    mona.reopenIssue("acme/site", number);
    mona.lock("acme/site", number, "too heated");
    mona.unlock("acme/site", number);
    mona.pin("acme/site", number);
    mona.unpin("acme/site", number);
    const { id } = mona.comment("acme/site", number, "Seen.");
    mona.editComment("acme/site", id, "Seen and noted.");
    mona.deleteComment("acme/site", id);
    const moved = mona.transferIssue("acme/site", number, "acme/shop");
    mona.deleteIssue("acme/shop", moved.number);
    const pull = mona.openPullRequest("acme/site", { title: "Mend the link" });
    mona.comment("acme/site", pull.number, "Looks good.");
    mona.editIssue("acme/site", pull.number, { title: "Mend all links" });
    mona.closeIssue("acme/site", pull.number);
    mona.convertToPullRequest("acme/site", mona.openIssue("acme/site", { title: "Mend" }).number);
    sim.renameRepository("acme/site", "website");
    sim.transferRepository("acme/website", "mona");
    for (const hook of [sim.deliveries[0]?.hookId ?? 0]) sim.pingHook(hook);
    await pass(50);

    const told = inbox.map(({ event, payload }) =>
      typeof payload.action === "string" ? `${event}$${payload.action}` : `${event}$event`,
    );
    const wrong = inbox.flatMap(({ payload }, index) =>
      webhookErrors(told[index] ?? "", payload).map((error) => `${told[index] ?? ""}: ${error}`),
    );
    expect(wrong).toEqual([]);
    expect(told).toEqual([
      "installation$created",
      "issues$opened",
      "issues$labeled",
      "issues$assigned",
      "issues$edited",
      "issues$labeled",
      "issues$unlabeled",
      "issues$assigned",
      "issues$unassigned",
      "issues$closed",
      "issues$reopened",
      "issues$locked",
      "issues$unlocked",
      "issues$pinned",
      "issues$unpinned",
      "issue_comment$created",
      "issue_comment$edited",
      "issue_comment$deleted",
      "issues$transferred",
      "issues$opened",
      "issues$deleted",
      "pull_request$opened",
      "issue_comment$created",
      "pull_request$edited",
      "pull_request$closed",
      "issues$opened",
      "pull_request$opened",
      "repository$renamed",
      "repository$transferred",
      "ping$event",
    ]);
  });

  it("names the organization that owns the repository", async () => {
    const { sim, inbox, pass } = setStage();
    sim.createUser({ login: "octo-org", type: "Organization" });
    sim.createRepository({ owner: "octo-org", name: "docs" });
    sim.as("mona").openIssue("octo-org/docs", { title: "Typo" });
    await pass(50);
    expect(inbox[0]?.payload).toMatchObject({ organization: { login: "octo-org" } });
    expect(webhookErrors("issues$opened", inbox[0]?.payload)).toEqual([]);
  });

  it("writes what bots do in the published form too", async () => {
    const { sim, ask, inbox, pass } = setStage();
    sim.token("ghs_bot", { login: "tandem[bot]" });
    await ask("POST", `${SITE}/issues`, { token: "ghs_bot", json: { title: "By a bot" } });
    await ask("POST", `${SITE}/issues/1/comments`, {
      token: "ghs_bot",
      json: { body: "So is this." },
    });
    await pass(50);
    expect(inbox.map(({ payload }) => payload.sender)).toMatchObject([
      { type: "Bot" },
      { type: "Bot" },
    ]);
    expect(webhookErrors("issues$opened", inbox[0]?.payload)).toEqual([]);
    expect(webhookErrors("issue_comment$created", inbox[1]?.payload)).toEqual([]);
  });
});
