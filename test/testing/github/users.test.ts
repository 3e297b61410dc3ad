/** Several users and their tokens: each with rights, and a budget, of their own. */
import { describe, expect, it } from "vitest";
import { setStage, SITE } from "./stage.ts";

const NEW = { title: "New", body: "Text", labels: ["bug"], assignees: ["mona"] };

describe("users with tokens of their own", () => {
  it("each write as who they are", async () => {
    const { ask, sim } = setStage();
    sim.token("ghp_octocat", { login: "octocat" });
    expect((await ask("GET", "/user", { token: "ghp_octocat" })).body).toMatchObject({
      login: "octocat",
    });
    await ask("POST", `${SITE}/issues`, { json: NEW, token: "ghp_octocat" });
    await ask("POST", `${SITE}/issues/1/comments`, { json: { body: "Text" } });
    expect(sim.issue("acme/site", 1)).toMatchObject({ author: "octocat", labels: ["bug"] });
    expect(sim.comments("acme/site")).toMatchObject([{ author: "mona" }]);
    expect(sim.calls({ login: "octocat", writes: true })).toBe(1);
  });

  it("without push access open issues, unlabeled, and edit their own only", async () => {
    const { ask, sim } = setStage();
    const token = "ghp_visitor";
    sim.token(token, { login: "visitor", push: false });
    await ask("POST", `${SITE}/issues`, { json: NEW });
    expect((await ask("POST", `${SITE}/issues`, { json: NEW, token })).status).toBe(201);
    expect(sim.issue("acme/site", 2)).toMatchObject({ labels: [], assignees: [] });
    const patch = async (path: string) =>
      (await ask("PATCH", `${SITE}/${path}`, { json: { title: "Other", body: "Other" }, token }))
        .status;
    expect([await patch("issues/1"), await patch("issues/2")]).toEqual([403, 200]);
    await ask("POST", `${SITE}/issues/1/comments`, { json: { body: "Text" } });
    const [comment] = sim.comments("acme/site");
    const path = `issues/comments/${String(comment?.id)}`;
    expect(await patch(path)).toBe(403);
    expect((await ask("DELETE", `${SITE}/${path}`, { token })).status).toBe(403);
    const label = { json: { labels: ["bug"] }, token };
    expect((await ask("POST", `${SITE}/issues/2/labels`, label)).status).toBe(403);
  });

  it("open no issue and write no comment where they are blocked", async () => {
    const { ask, sim } = setStage();
    const token = "ghp_octocat";
    sim.token(token, { login: "octocat" });
    sim.blockUser("acme/site", "octocat");
    await ask("POST", `${SITE}/issues`, { json: NEW });
    const refused = [
      await ask("POST", `${SITE}/issues`, { json: NEW, token }),
      await ask("POST", `${SITE}/issues/1/comments`, { json: { body: "Text" }, token }),
    ];
    for (const { status, body } of refused) {
      expect(status).toBe(422);
      expect(body).toMatchObject({ errors: [{ message: "User is blocked" }] });
    }
    expect(sim.issues("acme/site")).toHaveLength(1);
  });

  it("each use up a budget of their own", async () => {
    const { ask, sim } = setStage();
    const token = "ghp_octocat";
    sim.token(token, { login: "octocat" });
    sim.setRateLimit("octocat", 0);
    expect((await ask("GET", "/user", { token })).status).toBe(403);
    expect((await ask("GET", "/user")).status).toBe(200);
  });
});
