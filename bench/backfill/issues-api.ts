/**
 * A local API with many issues, like GitHub's for listing: a hundred per page, oldest change first, `since`
 * inclusive, `link` to the next and the last page. It answers after a fixed time, in its own process. Issues
 * are computed from their number, so it stores none of them.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { REPOSITORY_ID } from "../harness/work.ts";

const PAGE = 100;
const BEGAN = Date.UTC(2025, 0, 1);
const BODY = "steps to reproduce, expected and actual behavior, version; ".repeat(32);

export interface ApiAssignment {
  readonly issues: number;
  /** Milliseconds until a response begins. */
  readonly latency: number;
}

/** An issue; changes are a second apart. */
function issue(number: number): string {
  const id = 3_000_000_000 + number;
  const url = `https://api.github.com/repos/acme/site/issues/${String(number)}`;
  const at = new Date(BEGAN + number * 1_000).toISOString().replace(".000Z", "Z");
  return JSON.stringify({
    ...{ id, node_id: `I_kwDOA${String(id)}`, number, url },
    html_url: `https://github.com/acme/site/issues/${String(number)}`,
    title: titleOf(number),
    user: { login: `user-${String(number % 97)}`, id: 1_000 + (number % 97), type: "User" },
    ...{ labels: [], assignees: [], state: number % 2 === 0 ? "open" : "closed" },
    ...{ comments: number % 13, created_at: "2024-12-02T03:04:05Z", updated_at: at },
    body: `${String(number)}: ${BODY}`,
  });
}

export function titleOf(number: number): string {
  return `The button of page ${String(number)} does nothing`;
}

process.once("message", ({ issues, latency }: ApiAssignment) => {
  const server = createServer((request, response) => {
    const { searchParams, pathname, origin } = new URL(
      request.url ?? "/",
      `http://${request.headers.host ?? ""}`,
    );
    if (!pathname.endsWith("/issues")) {
      response.writeHead(404).end("{}");
      return;
    }
    const since = searchParams.get("since");
    const page = Number(searchParams.get("page") ?? "1");
    const before = since === null ? 0 : Math.max(0, (Date.parse(since) - BEGAN) / 1_000 - 1);
    const pages = Math.ceil((issues - before) / PAGE);
    const first = before + (page - 1) * PAGE + 1;
    const last = Math.min(issues, first + PAGE - 1);
    const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const link = (to: number, name: string) => {
      searchParams.set("page", String(to));
      return `<${origin}${pathname}?${searchParams.toString()}>; rel="${name}"`;
    };
    const headers = {
      "content-type": "application/json",
      ...(page < pages && { link: `${link(page + 1, "next")}, ${link(pages, "last")}` }),
    };
    const body = `[${numbers.map(issue).join(",")}]`;
    setTimeout(() => response.writeHead(200, headers).end(body), latency);
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    const base = `http://127.0.0.1:${String(port)}`;
    process.send?.({ base, list: `${base}/repositories/${String(REPOSITORY_ID)}/issues` });
  });
});
process.once("disconnect", () => process.exit());
