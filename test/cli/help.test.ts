/** The help teaches, and a wrong command line is told from a failure. */
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { EXIT_MEANINGS } from "../../src/cli/context/exit-codes.ts";
import { VERSION } from "../../src/version.ts";
import { openTerminal } from "./terminal.ts";

const terminal = openTerminal({ cwd: tmpdir() });

const COMMANDS = [
  "start",
  "work",
  "serve",
  "migrate",
  "connect",
  "status",
  "events",
  "explain",
  "audit",
  "pause",
  "enable",
  "approve",
  "reconcile",
  "backfill",
  "sessions",
  "simulate",
];

describe("help", () => {
  it("lists every command, how to begin, and what each exit status means", async () => {
    const { code, out } = await terminal.tandem("--help");
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
    expect(out).toContain("$ tandem start --demo");
    for (const [status, meaning] of Object.entries(EXIT_MEANINGS)) {
      expect(out).toContain(`  ${status}  ${meaning}`);
    }
  });

  it.each([
    ["start", "--port", "--host", "--demo", "--no-open", "$ tandem start"],
    ["work", "--once", "--concurrency", "$ tandem work --once"],
    ["serve", "--port", "$ tandem serve"],
    ["migrate", "Safe to run twice", "$ tandem migrate"],
    ["connect", "--scope", "--token-env", "--private-key-env", "Secrets are not stored"],
    ["status", "--url", "$ tandem status"],
    ["events", "list", "show", "restart", "cancel"],
    ["explain", "oldest first", "$ tandem explain tasks 42"],
    ["pause", "acme/site", "$ tandem pause"],
    ["enable", "read again", "$ tandem enable"],
    ["reconcile", "--dry-run", "$ tandem reconcile acme/site --dry-run"],
    ["backfill", "after a crash it resumes", "$ tandem backfill acme/site"],
    ["audit", "--act", "kept for a year", "$ tandem audit"],
    ["sessions", "list", "revoke", "30 days"],
  ])("%s says what it does, with examples and the options of every command", async (...given) => {
    const [command, ...contents] = given;
    const { code, out } = await terminal.tandem(command, "--help");
    expect(code).toBe(0);
    for (const content of [...contents, "--json", "--config"]) expect(out).toContain(content);
  });

  it("has help for the commands below a command, and by the word help", async () => {
    for (const argv of [
      ["events", "list", "--help"],
      ["help", "explain"],
      ["simulate", "github", "--help"],
    ]) {
      const { code, out } = await terminal.tandem(...argv);
      expect(code).toBe(0);
      expect(out).toContain("Examples:");
    }
  });

  it("tells the version", async () => {
    expect(await terminal.tandem("--version")).toMatchObject({ code: 0, out: `${VERSION}\n` });
  });
});

describe("a wrong command line ends with 2", () => {
  it("shows the help where no command is given", async () => {
    const { code, out, err } = await terminal.tandem();
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: tandem");
  });

  it.each([
    [["statsu"], "Did you mean status?", "tandem --help"],
    [["events", "list", "--stat", "queued"], "Did you mean --state?", "tandem events list --help"],
    [["events", "--state", "lost"], "Allowed choices are queued", "tandem events --help"],
    [["events", "--record", "tasks"], "tasks:42", "tandem events --help"],
    [["connect", "github", "acme/site"], "--scope", "tandem connect --help"],
    [["explain", "tasks"], "missing required argument 'id'", "tandem explain --help"],
    [["start", "--port", "70000"], "0 to 65535", "tandem start --help"],
    [["status", "--url", "here"], "http://127.0.0.1:4400", "tandem status --help"],
  ])("%j", async (argv, message, hint) => {
    const { code, out, err } = await terminal.tandem(...argv);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^error: .+\n {2}code: usage\n {2}fix: .+\n$/);
    expect(err).toContain(message);
    expect(err).toContain(`\`${hint}\``);
  });

  it("is told as JSON where JSON is asked for", async () => {
    const { code, err } = await terminal.tandem("events", "--limit", "0", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(err)).toEqual({
      error: {
        code: "usage",
        message: expect.stringContaining("1 to 500"),
        hint: expect.stringContaining("--help"),
      },
    });
  });
});
