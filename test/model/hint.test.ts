/** Hints name an act once; the API shows a request and the command line a command, and both exist. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../src/cli/run.ts";
import { ACTS, actOf, hint, sayHint } from "../../src/model/acts/hint.ts";

describe("a hint", () => {
  const remedy = hint`List them with ${actOf("events.list")}, or see the log.`;

  it("names requests to a client of the API", () => {
    expect(sayHint(remedy, "request")).toBe("List them with /api/events, or see the log.");
  });

  it("names commands to a user of the command line", () => {
    expect(sayHint(remedy, "command")).toBe("List them with `tandem events`, or see the log.");
  });

  it("stays as it is if it refers to no act", () => {
    expect(sayHint("Start at /.", "command")).toBe("Start at /.");
  });

  it("fills arguments as a URL and as a shell read them", () => {
    const act = actOf("connection.reconcile", "7 a", "it's one");
    expect(sayHint([act], "request")).toBe("POST /api/connections/7%20a/reconcile");
    expect(sayHint([act], "command")).toBe(String.raw`${"`"}tandem reconcile 'it'\''s one'${"`"}`);
  });
});

const ROUTES = [
  "src/server/api/api.ts",
  "src/server/api/reconcile-routes.ts",
  "src/server/access/access-routes.ts",
];

describe.each(Object.entries(ACTS))("the act %s", (_, { request, command }) => {
  it("is a command of the CLI, with options that it has", () => {
    const io = { stdout: { write: () => true }, stderr: { write: () => true } };
    // A cast, because building the commands reads no more of it.
    const program = createProgram(io as unknown as Parameters<typeof createProgram>[0]);
    const [, ...words] = command.split(" ");
    let found: Command = program;
    for (const word of words) {
      found = found.commands.find((one) => one.name() === word) ?? found;
    }
    expect(found).not.toBe(program);
    const shown = [found, ...found.commands].flatMap(({ options }) => options);
    for (const option of words.filter((word) => word.startsWith("--"))) {
      expect(shown.map(({ long }) => long)).toContain(option);
    }
  });

  it("is a route of the API", () => {
    const code = ROUTES.map((file) => readFileSync(file, "utf8")).join("\n");
    const [method, path] = request.startsWith("/") ? ["get", request] : ["post", request.slice(5)];
    const route = path
      .replace(/^\/api/, "")
      .replace(/\?.*/, "")
      .replaceAll(/\$\d/g, ":id");
    expect(code).toContain(`api.${method}("${route}"`);
  });
});
