/**
 * The peers are no dependencies of Tandem. The bench installs them at their first use, into this folder, from
 * its lockfile, and runs them on the Node version that their newest versions need.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export type Installed = { readonly node: string } | { readonly skipped: string };

const run = promisify(execFile);
const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const LOCK = fileOf("package-lock.json");
const MODULES = fileOf("node_modules");
/** Marks the installed lockfile. */
const MARK = fileOf("node_modules/.installed-for-the-bench");
/** The first Node that runs TypeScript without a flag. */
const ENOUGH = [22, 18] as const;

let installed: Promise<Installed> | undefined;

/** @param tell Receives messages for the person who waits for the installation. */
export function installPeers(tell: (line: string) => void): Promise<Installed> {
  installed ??= install(tell);
  return installed;
}

async function install(tell: (line: string) => void): Promise<Installed> {
  const lock = readFileSync(LOCK, "utf8");
  if (!existsSync(MARK) || readFileSync(MARK, "utf8") !== lock) {
    tell(`The peers are installed once, with npm ci, into ${MODULES} (about 230 MB).`);
    try {
      await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: fileOf(".") });
    } catch (error) {
      return { skipped: `the peers could not be installed: ${firstErrorOf(error)}` };
    }
    writeFileSync(MARK, lock);
  }
  const node = nodeOf();
  if (node === null) {
    return {
      skipped: `the peers need Node ${ENOUGH.join(".")}, which does not exist for this platform`,
    };
  }
  return { node };
}

/** The Node from npm's packages, otherwise this one. */
function nodeOf(): string | null {
  const own = fileOf(`node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(own)) return own;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isEnough = major > ENOUGH[0] || (major === ENOUGH[0] && minor >= ENOUGH[1]);
  return isEnough ? process.execPath : null;
}

function firstErrorOf(error: unknown): string {
  const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
  const lines = said.split("\n").filter((line) => line.startsWith("npm error"));
  return (lines[0] ?? said.trim().split("\n")[0] ?? "").replace(/^npm error /, "");
}
