/** The time of a fresh process to its first response, and its memory then. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface FirstAnswer {
  readonly millis: number;
  /** Resident memory in MB, at that time and at its peak. NaN if the system does not tell. */
  readonly rss: number;
  readonly peak: number;
}

/** `npm start` of the build, in a new folder, until its page is served. */
export function startDemo(): Promise<FirstAnswer> {
  execFileSync(process.execPath, [join(ROOT, "scripts/build.mjs"), "--if-changed"]);
  const program = join(ROOT, "dist/cli/main.js");
  const args = ["start", "--demo", "--no-open", "--json", "--port", "0"];
  return measure([program, ...args], async (child) => {
    const { url } = JSON.parse(await said(child, /\{.*?\}/s)) as { readonly url: string };
    const page = await fetch(url);
    if (!page.ok || !(await page.text()).includes("<script"))
      throw new Error("the demo served no page");
  });
}

export function startBare(): Promise<FirstAnswer> {
  return measure([join(ROOT, "bench/start/bare.mjs"), "data"], async (child) => {
    await said(child, /answered/);
  });
}

async function measure(
  args: readonly string[],
  answered: (child: ChildProcess) => Promise<void>,
): Promise<FirstAnswer> {
  const folder = mkdtempSync(join(tmpdir(), "tandem-bench-start-"));
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  try {
    await answered(child);
    const millis = performance.now() - began;
    return { millis, rss: statusOf(child, "VmRSS"), peak: statusOf(child, "VmHWM") };
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function said(child: ChildProcess, what: RegExp): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const found = what.exec(text);
    if (found !== null) return found[0];
  }
  throw new Error(`the process ended before it answered: ${text}`);
}

function statusOf({ pid }: ChildProcess, field: string): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? NaN) / 1_024;
  } catch {
    return NaN;
  }
}
