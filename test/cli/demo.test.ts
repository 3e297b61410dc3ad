/** `start --demo` needs nothing but a folder; with a token and a repository it is the real GitHub. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiExplanation } from "../../src/server/protocol/api-types.ts";
import { databaseKinds } from "../harness/databases.ts";
import { makeFolder, openGitHub, type SimulatedGitHub } from "./project.ts";
import { openTerminal } from "./terminal.ts";

interface Demo {
  readonly url: string;
  readonly github: string;
}

/** Under load a worker may be slow to get its turn. */
const PATIENTLY = { timeout: 30_000 };
const QUIETLY = ["--port=0", "--log-level=silent", "--json"];

describe.runIf(databaseKinds.includes("pglite"))("the demo", () => {
  const folders: string[] = [];
  let github: SimulatedGitHub;

  beforeAll(async () => {
    github = await openGitHub();
  });
  afterAll(async () => {
    await github.listening.close();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  function emptyFolder(): string {
    const folder = makeFolder();
    folders.push(folder);
    return folder;
  }

  it("syncs a sample app with a simulated GitHub, and other commands can ask it", async () => {
    const folder = emptyFolder();
    const terminal = openTerminal({ cwd: folder });
    const running = terminal.start("start", "--demo", ...QUIETLY);
    const { url } = JSON.parse(await running.answered) as Demo;
    await expect
      .poll(
        () =>
          terminal.json<ApiExplanation>("explain", "tasks", "1", "--url", url).catch(() => null),
        PATIENTLY,
      )
      .toMatchObject({ pairings: [{ connection: "acme/site", in_sync: true }] });

    const second = await terminal.tandem("start", "--demo", "--json");
    expect(second.code).toBe(6);
    expect(second.err).toContain(url);

    running.interrupt();
    expect((await running.ended).code).toBe(0);
    expect(existsSync(join(folder, ".tandem", "demo.lock"))).toBe(false);
  });

  it("syncs it with a repository that the environment names", async () => {
    const folder = emptyFolder();
    const terminal = openTerminal({
      cwd: folder,
      env: {
        GITHUB_TOKEN: "bot-token",
        GITHUB_REPOSITORY: "acme/site",
        GITHUB_API_URL: github.listening.url,
      },
    });
    github.simulator.as("mona").openIssue("acme/site", { title: "Broken link" });
    const running = terminal.start("start", "--demo", ...QUIETLY);
    const { url, github: at } = JSON.parse(await running.answered) as Demo;
    expect(at).toBe(github.listening.url);
    await expect
      .poll(
        () =>
          terminal.json<ApiExplanation>("explain", "tasks", "1", "--url", url).catch(() => null),
        PATIENTLY,
      )
      .toMatchObject({ pairings: [{ in_sync: true, integration_external_id: "1" }] });
    running.interrupt();
    expect((await running.ended).code).toBe(0);
  });

  it("stays on this machine", async () => {
    const folder = emptyFolder();
    const { code, err } = await openTerminal({ cwd: folder }).tandem(
      ...["start", "--demo", "--host=0.0.0.0"],
    );
    expect(code).toBe(2);
    expect(err).toContain("code: demo_is_local");
  });
});
