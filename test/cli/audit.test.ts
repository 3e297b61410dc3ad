/** Acts of the command line leave a row in the audit, and logins of the dashboard can be revoked by it. */
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProgram } from "../../src/cli/run.ts";
import type { ApiAudit, ApiSessions } from "../../src/server/protocol/api-types.ts";
import { databaseKinds } from "../harness/databases.ts";
import { openGitHub, openProject, type Project, type SimulatedGitHub } from "./project.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

const NO_EVENT = "0196ffff-0000-7000-8000-000000000001";
const NO_SESSION = "0".repeat(32);

/** Commands that change nothing by themselves: they read, or run a process. */
const READERS = [
  "status",
  "events list",
  "events show",
  "explain",
  "audit",
  "sessions list",
  "start",
  "work",
  "serve",
  "simulate github",
];

/** Every other command, with arguments and the act that it leaves. */
const ACTORS: Readonly<Record<string, readonly [args: readonly string[], act: string]>> = {
  migrate: [[], "migrate"],
  connect: [["github", "acme/site", "--scope=1"], "connection.connect"],
  "events restart": [[NO_EVENT], "event.restart"],
  "events cancel": [[NO_EVENT], "event.cancel"],
  pause: [["acme/site"], "connection.pause"],
  enable: [["acme/site"], "connection.enable"],
  approve: [["7"], "run.approve"],
  reconcile: [["acme/site"], "connection.reconcile"],
  backfill: [["acme/site"], "connection.backfill"],
  "sessions revoke": [[NO_SESSION], "session.revoke"],
};

/** The commands that do something, each by its words. */
function leavesOf(command: Command, words: readonly string[] = []): readonly string[] {
  if (command.commands.length === 0) return [words.join(" ")];
  return command.commands.flatMap((below) => leavesOf(below, [...words, below.name()]));
}

it("each command reads, runs a process, or is known to leave an act", () => {
  const output = { write: () => undefined };
  const program = createProgram({
    ...{ stdout: output, stderr: output, env: {}, cwd: "/" },
    onInterrupt: () => () => undefined,
    openBrowser: () => undefined,
  });
  const known = [...READERS, ...Object.keys(ACTORS)];
  expect([...leavesOf(program)].sort()).toEqual(known.sort());
});

describe.each(databaseKinds.slice(-1))("the audit of the command line, on %s", (kind) => {
  let project: Project;
  let github: SimulatedGitHub;
  let terminal: Terminal;

  beforeAll(async () => {
    project = await openProject(kind);
    github = await openGitHub();
    const env = { GITHUB_TOKEN: "bot-token", USER: "ada" };
    terminal = openTerminal({ cwd: project.folder, env });
    expect((await terminal.tandem("migrate")).code).toBe(0);
    const base = `--base-url=${github.listening.url}`;
    const connected = await terminal.tandem("connect", "github", "acme/site", "--scope=1", base);
    expect(connected.err).toBe("");
  });
  afterAll(async () => {
    await github.listening.close();
    await project.remove();
  });

  it.each(Object.entries(ACTORS))("%s leaves its act", async (words, [args, act]) => {
    const count = async () =>
      (await terminal.json<ApiAudit>("audit", "--act", act, "--limit=500")).acts.length;
    const before = await count();
    await terminal.tandem(...words.split(" "), ...args);
    const { acts } = await terminal.json<ApiAudit>("audit", "--limit=1");
    expect(acts).toMatchObject([{ actor: "ada", act, origin: "command line" }]);
    expect(await count()).toBe(before + 1);
  });

  it("is shown to people, with how to go on", async () => {
    await terminal.tandem("sessions", "revoke", NO_SESSION);
    const { out } = await terminal.tandem("audit", "--limit=2");
    expect(out).toMatch(/^TIME +ACTOR +ACT +SUBJECT +FROM +STATUS\n/);
    expect(out).toMatch(/ada +session\.revoke +0{32} +command line +404\n/);
    expect(out).toMatch(/More: --before \d+\n$/);
  });

  it("sessions are listed and revoked; an ambiguous request is refused", async () => {
    expect((await terminal.tandem("sessions")).out).toBe("No logins.\n");
    expect((await terminal.tandem("sessions", "revoke")).code).toBe(2);
    expect((await terminal.tandem("sessions", "revoke", NO_SESSION, "--all")).code).toBe(2);
    expect((await terminal.tandem("sessions", "revoke", NO_SESSION)).err).toContain("no_session");
    expect(await terminal.json<ApiSessions>("sessions", "revoke", "--all")).toEqual({
      sessions: [],
    });
  });
});
