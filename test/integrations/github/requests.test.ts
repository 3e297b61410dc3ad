/** Every request as GitHub gets it: method, address with its query, headers and body. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { comment, connectTo, issue, observationsOf, SITE } from "./given.ts";
import { privateKey } from "./given-app.ts";

const API = "https://api.github.com";
const AT = "2026-03-02T09:00:00Z";
const ISSUE = {
  number: 1,
  title: "Broken",
  html_url: `https://github.com/${SITE}/issues/1`,
  updated_at: AT,
};
const COMMENT = {
  id: 9,
  body: "Me too.",
  html_url: `https://github.com/${SITE}/issues/1#issuecomment-9`,
  issue_url: `${API}/repos/${SITE}/issues/1`,
  updated_at: AT,
};

interface Sent {
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The answer to a path, as far as these stories need it. */
function answerTo(method: string, path: string): unknown {
  if (path === "/user" || path.startsWith("/users/")) return { id: 5, login: "tandem[bot]" };
  if (path === "/app") return { slug: "tandem" };
  if (path.endsWith("/access_tokens"))
    return { token: "ghs_1", expires_at: "2036-01-01T00:00:00Z" };
  if (path.endsWith("/installation") || path.startsWith("/app/installations/")) return { id: 8 };
  if (path.startsWith("/app/hook/")) return [];
  if (path === "/repositories/42" || path === `/repos/${SITE}`) return { id: 42, full_name: SITE };
  if (path.endsWith("/labels")) return [{ name: "a11y" }];
  if (path.endsWith("/comments")) return method === "POST" ? COMMENT : [COMMENT];
  if (path.includes("/issues/comments/")) return COMMENT;
  return path.endsWith("/issues") && method === "GET" ? [ISSUE] : ISSUE;
}

function recording(credentials: unknown = { token: "t0ken" }, status?: number) {
  const clock = new VirtualClock();
  const sent: Sent[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    const method = init?.method ?? "GET";
    const url = new URL(input instanceof Request ? input.url : String(input));
    const body = typeof init?.body === "string" ? init.body : null;
    const headers = Object.fromEntries(new Headers(init?.headers));
    sent.push({ line: `${method} ${url.href.replace(API, "")}`, headers, body });
    const ok = { headers: { etag: '"v1"' } };
    if (status !== undefined && method === "GET") {
      return Promise.resolve(new Response(null, { status }));
    }
    return Promise.resolve(
      method === "DELETE" && url.pathname.includes("/comments/")
        ? new Response(null, { status: 204 })
        : Response.json(answerTo(method, url.pathname), ok),
    );
  };
  const account = connectTo(fetch, clock, credentials);
  const site = account.container({ id: "42", name: SITE });
  const lines = () => sent.map(({ line, body }) => (body === null ? line : `${line} ${body}`));
  return { account, site, sent, lines };
}

const NEW = { type: "issue", parent: null, token: "k3J9" } as const;
const HERE = "/repositories/42";

describe("the headers of a request", () => {
  const usual = {
    accept: "application/vnd.github+json",
    authorization: "Bearer t0ken",
    "user-agent": expect.stringMatching(/^tandem-sync\b/) as string,
    "x-github-api-version": "2022-11-28",
  };

  test("name the version of the API, the sender and its token", async () => {
    const { site, sent } = recording();
    await site.read(issue(1));
    expect(sent[0]?.headers).toEqual(usual);
  });

  test("name the form of a body", async () => {
    const { site, sent } = recording();
    await site.patch(issue(1), { title: "A" }, {}, null);
    expect(sent[0]?.headers).toEqual({
      ...usual,
      "content-type": expect.stringMatching(/^application\/json\b/) as string,
    });
  });

  test("make a read conditional by the validator of an earlier answer", async () => {
    const { site, sent } = recording();
    const { validator = null } = await site.read(issue(1));
    await site.readIfChanged(issue(1), validator);
    expect(sent[1]?.headers).toEqual({ ...usual, "if-none-match": '"v1"' });
    await site.readIfChanged(issue(1), null);
    expect(sent[2]?.headers).toEqual(usual);
  });

  test("make a list conditional, its first page only", async () => {
    const { site, sent } = recording({ token: "t0ken" }, 304);
    expect(await observationsOf(site, { etag: '"list"' })).toEqual([]);
    expect(sent.map(({ headers }) => headers)).toEqual([{ ...usual, "if-none-match": '"list"' }]);
  });
});

describe("the address and the body of a request", () => {
  test("for each act on an issue", async () => {
    const { site, lines } = recording();
    await site.read(issue(1));
    await site.create({
      ...NEW,
      values: { title: "New", labels: ["bug"], assignees: ["mona"], state: "closed", author: null },
    });
    await site.create({ ...NEW, token: null, values: { title: "New", body: "Text" } });
    await site.patch(issue(1), { title: "A", body: "B", state: "open" }, {}, "k3J9");
    await site.close(issue(1), "Gone.");
    await site.close(issue(1), null);
    expect(lines()).toEqual([
      `GET ${HERE}/issues/1`,
      `POST ${HERE}/issues {"body":"<!-- tandem:k3J9 -->","title":"New","labels":["bug"],"assignees":["mona"]}`,
      `POST ${HERE}/issues {"body":"Text","title":"New"}`,
      `PATCH ${HERE}/issues/1 {"title":"A","body":"B\\n\\n<!-- tandem:k3J9 -->","state":"open"}`,
      `PATCH ${HERE}/issues/1 {"state":"closed","state_reason":"not_planned"}`,
      `POST ${HERE}/issues/1/comments {"body":"Gone."}`,
      `PATCH ${HERE}/issues/1 {"state":"closed","state_reason":"not_planned"}`,
    ]);
  });

  test("for each act on a comment", async () => {
    const { site, lines } = recording();
    await site.read(comment(9));
    const reply = { type: "issue_comment", parent: issue(1), token: "k3J9" };
    await site.create({ ...reply, values: { body: "Me too." } });
    await site.create({ ...reply, values: {} });
    await site.patch(comment(9), { body: "B", author: null }, {}, null);
    await site.delete(comment(9));
    expect(lines()).toEqual([
      `GET ${HERE}/issues/comments/9`,
      `POST ${HERE}/issues/1/comments {"body":"Me too.\\n\\n<!-- tandem:k3J9 -->"}`,
      `POST ${HERE}/issues/1/comments {"body":"<!-- tandem:k3J9 -->"}`,
      `PATCH ${HERE}/issues/comments/9 {"body":"B"}`,
      `DELETE ${HERE}/issues/comments/9`,
    ]);
  });

  test("for each change of a set, in an order that removes nothing too much", async () => {
    const { site, lines } = recording();
    const labels = { added: ["a11y"], removed: ["old one", "a/b"] };
    const assignees = { added: ["mona"], removed: ["hubot"] };
    await site.patch(issue(1), { title: "A" }, { labels, assignees }, null);
    await site.patch(issue(1), {}, { labels: { added: ["a11y"], removed: [] } }, null);
    // A comment has no sets.
    await site.patch(comment(9), { body: "B" }, { labels }, null);
    expect(lines()).toEqual([
      `PATCH ${HERE}/issues/1 {"title":"A"}`,
      `POST ${HERE}/issues/1/labels {"labels":["a11y"]}`,
      `DELETE ${HERE}/issues/1/labels/old%20one`,
      `DELETE ${HERE}/issues/1/labels/a%2Fb`,
      `POST ${HERE}/issues/1/assignees {"assignees":["mona"]}`,
      `DELETE ${HERE}/issues/1/assignees {"assignees":["hubot"]}`,
      `POST ${HERE}/issues/1/labels {"labels":["a11y"]}`,
      `GET ${HERE}/issues/1`,
      `PATCH ${HERE}/issues/comments/9 {"body":"B"}`,
    ]);
  });

  test("for each list", async () => {
    const { site, lines } = recording();
    const [first] = await observationsOf(site);
    const since = first?.updatedAt ?? null;
    await observationsOf(site, { since });
    await observationsOf(site, { type: "issue_comment", since });
    await site.children(issue(1), "issue_comment");
    expect(await site.children(issue(1), "issue")).toEqual([]);
    const order = "sort=updated&direction=asc&per_page=100";
    const from = "since=2026-03-02T09%3A00%3A00Z";
    expect(lines()).toEqual([
      `GET ${HERE}/issues?state=all&${order}`,
      `GET ${HERE}/issues?state=all&${order}&${from}`,
      `GET ${HERE}/issues/comments?${order}&${from}`,
      `GET ${HERE}/issues/1/comments?per_page=100`,
    ]);
  });

  test("for each question of an account", async () => {
    const { account, lines } = recording();
    await account.identity();
    await account.findContainer(` ${SITE} `);
    await account.findContainer("42");
    expect(lines()).toEqual(["GET /user", `GET /repos/${SITE}`, "GET /repositories/42"]);
  });

  test("for each question of an App, asked as the App or as its installation", async () => {
    const { account, site, sent, lines } = recording({ appId: 7, privateKey, installationId: 8 });
    await account.identity();
    await account.installation?.state();
    await account.installation?.includes("42");
    await account.deliveryLog?.page(null);
    await account.deliveryLog?.page(`${API}/app/hook/deliveries?cursor=v1_2`);
    await account.deliveryLog?.redeliver("5");
    await site.read(issue(1));
    expect(lines()).toEqual([
      "GET /app",
      "POST /app/installations/8/access_tokens",
      "GET /users/tandem%5Bbot%5D",
      "GET /app/installations/8",
      `GET ${HERE}/installation`,
      "GET /app/hook/deliveries?per_page=100",
      "GET /app/hook/deliveries?cursor=v1_2",
      "POST /app/hook/deliveries/5/attempts",
      `GET ${HERE}/issues/1`,
    ]);
    const asInstallation = sent.filter(({ headers }) => headers.authorization === "Bearer ghs_1");
    expect(asInstallation.map(({ line }) => line)).toEqual([
      "GET /users/tandem%5Bbot%5D",
      `GET ${HERE}/issues/1`,
    ]);
    for (const { headers } of sent) {
      expect(headers.authorization).toMatch(/^Bearer (ghs_1|[\w-]+\.[\w-]+\.[\w-]+)$/);
    }
  });
});
