/** Failures are told by their type: what is wrong, its code, what to do, and the exit status. */
import { rmSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { ConfigError } from "../../src/config.ts";
import { describeFailure } from "../../src/cli/context/failure.ts";
import { IntegrationError } from "../../src/integrations/integration.ts";
import { MissingSecretError } from "../../src/runtime/settings/secrets.ts";
import { ConnectionLostError } from "../../src/store/database/database.ts";
import { MigrationError } from "../../src/store/database/migration-error.ts";
import { UnknownDatabaseError } from "../../src/store/postgres/driver/open-database.ts";
import { configText, makeFolder } from "./project.ts";
import { openTerminal } from "./terminal.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function integrationError(kind: "not_found" | "credentials" | "retryable"): IntegrationError {
  return new IntegrationError({ kind, code: "c", message: "m", hint: "h", applied: "no" });
}

function withCode(code: string, message = "it failed"): Error {
  return Object.assign(new Error(message), { code });
}

it.each([
  [new ConfigError("no_scope", "records.tasks", "m", "h"), 3, "no_scope"],
  [new MissingSecretError("GITHUB_TOKEN"), 3, "missing_secret"],
  [new UnknownDatabaseError("m"), 3, "unknown_database"],
  [new MigrationError("table_missing", "m", "h"), 4, "table_missing"],
  [new ConnectionLostError("unknown", null), 4, "connection_lost"],
  [withCode("28P01"), 4, "database_login_refused"],
  [withCode("3D000"), 4, "no_such_database"],
  [withCode("42501"), 4, "not_allowed"],
  [withCode("22001"), 4, "sqlstate_22001"],
  [withCode("ECONNREFUSED"), 4, "database_unreachable"],
  [withCode("EADDRINUSE"), 6, "port_taken"],
  [withCode("EBUSY"), 1, "unexpected"],
  [integrationError("not_found"), 5, "c"],
  [integrationError("credentials"), 7, "c"],
  [integrationError("retryable"), 7, "c"],
  [new Error("it failed"), 1, "unexpected"],
  ["it failed", 1, "unexpected"],
])("%s ends with %i, %s", (thrown, exitCode, code) => {
  const failure = describeFailure(thrown);
  expect(failure).toMatchObject({ exitCode, code });
  expect(failure.message).not.toBe("");
  expect(failure.hint).not.toBe("");
});

it("tells what several attempts to connect met", () => {
  const attempts = [withCode("ECONNREFUSED", "::1 refused"), withCode("ECONNREFUSED", "127.0.0.1")];
  const thrown = Object.assign(new AggregateError(attempts), { code: "ECONNREFUSED" });
  expect(describeFailure(thrown).message).toBe("::1 refused; 127.0.0.1");
});

it.each(["migrate", "status", "start", "work", "serve"])(
  "%s ends with 4 where there is no database",
  async (command) => {
    const folder = makeFolder({ "tandem.config.ts": configText("postgres://127.0.0.1:1/app") });
    folders.push(folder);
    const { code, out, err } = await openTerminal({ cwd: folder }).tandem(command);
    expect({ code, out }).toEqual({ code: 4, out: "" });
    expect(err).toContain("code: database_unreachable\n  fix: Check that Postgres runs");
  },
);
