/** GitHub as a local server: it accepts edits of issues, and answers each after 20 ms with the issue. */
import { createServer } from "node:http";
import { closeServer, listenAnywhere } from "./by-hand.ts";
import type { Part } from "./running.ts";
import { readAll } from "./webhook.ts";

const ANSWERS_AFTER_MS = 20;
const PATH = /^\/repositories\/\d+\/issues\/(\d+)$/;

export interface ApiLast {
  readonly calls: number;
  /** Requests other than edits of issues. */
  readonly others: readonly string[];
}

export interface Said {
  readonly title: string;
  readonly body: string;
  readonly state: string;
}

export interface ApiInput {
  /** The initial issues, by number from 1. */
  readonly issues: readonly Said[];
}

export const apiPart: Part<
  ApiInput,
  { readonly port: number },
  ApiLast & { readonly issues: readonly Said[] }
> = async (input) => {
  const issues = [...input.issues];
  const others: string[] = [];
  let calls = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const number = Number(PATH.exec(path)?.[1] ?? "0");
    const before = issues[number - 1];
    calls += 1;
    void readAll(request).then((body) => {
      if (before === undefined || request.method !== "PATCH") {
        others.push(`${request.method ?? ""} ${path}`);
        if (before === undefined) response.statusCode = 404;
      } else {
        issues[number - 1] = { ...before, ...(JSON.parse(body.toString()) as Partial<Said>) };
      }
      const said = JSON.stringify(answerOf(number, issues[number - 1] ?? null));
      setTimeout(() => {
        const length = Buffer.byteLength(said);
        response.writeHead(response.statusCode, {
          ...{ "content-type": "application/json", "content-length": length },
        });
        response.end(said);
      }, ANSWERS_AFTER_MS);
    });
  });
  return {
    opened: { port: await listenAnywhere(server) },
    async stop() {
      await closeServer(server);
      return { calls, others, issues };
    },
  };
};

function answerOf(number: number, said: Said | null): object {
  if (said === null) return { message: "Not Found" };
  const repository = "https://api.github.com/repos/acme/site";
  return {
    ...said,
    number,
    id: 3_000_000_000 + number,
    url: `${repository}/issues/${String(number)}`,
    html_url: `https://github.com/acme/site/issues/${String(number)}`,
    user: { login: "bench", id: 1, type: "User" },
    labels: [],
    assignees: [],
    created_at: "2026-01-02T03:04:05Z",
    updated_at: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  };
}
