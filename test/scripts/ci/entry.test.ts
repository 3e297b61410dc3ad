/** `.ci/run` as it is called, with an `npm` that does what the test says instead of installing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-test-ci-"));
  symlinkSync(resolve(".ci"), join(folder, ".ci"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe(".ci/run", () => {
  it("ends with the counts where the installation fails", async () => {
    const { code, lines } = await runWith("echo no network; exit 1").ended;
    expect(code).toBe(1);
    expect(lines).toContain("no network");
    expect(lines.at(-1)).toBe("0 passed, 1 failed");
  });

  it("ends the installation and says the counts on an interrupt", async () => {
    const run = runWith("echo installing; tail -f /dev/null");
    await run.said("installing");
    run.interrupt();
    const { code, lines } = await run.ended;
    expect(code).toBe(130);
    expect(lines.at(-1)).toBe("0 passed, 1 failed");
  });
});

function runWith(npm: string) {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "npm"), `#!/bin/sh\n${npm}\n`);
  chmodSync(join(bin, "npm"), 0o755);
  const child = spawn(".ci/run", {
    cwd: folder,
    env: { PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH ?? ""}` },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return {
    said: (text: string) => expect.poll(() => output).toContain(text),
    interrupt: () => child.kill("SIGTERM"),
    ended: once(child, "close").then(([code]) => ({
      code: code as number,
      lines: output.trimEnd().split("\n"),
    })),
  };
}
