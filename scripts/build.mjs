// Builds dist/: modules and types by tsc, the dashboard's static files, and the data directory for new PGlites.
// With --if-changed, only if a source has changed since the last build.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const SOURCES = ["src", "scripts/build.mjs", "scripts/prepare-database.mjs"]
  .concat(["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"])
  .map(at);
const stamp = at("dist/.built-from");

/** Changes with the name, size or time of any source. */
function stampOf(paths) {
  const hash = createHash("sha256");
  const add = (path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) {
      for (const name of readdirSync(path).sort()) add(join(path, name));
    } else hash.update(`${path} ${found?.size} ${found?.mtimeMs}\n`);
  };
  paths.forEach(add);
  return hash.digest("hex");
}

const now = stampOf(SOURCES);
const isBuilt = existsSync(stamp) && readFileSync(stamp, "utf8") === now;
if (!process.argv.includes("--if-changed") || !isBuilt) {
  // Output of deleted sources must not be published.
  rmSync(at("dist"), { recursive: true, force: true });
  execFileSync(
    process.execPath,
    [at("node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"],
    {
      cwd: root,
      stdio: "inherit",
    },
  );
  cpSync(at("src/dashboard/static"), at("dist/dashboard/static"), { recursive: true });
  chmodSync(at("dist/cli/main.js"), 0o755);
  await import("./prepare-database.mjs");
  writeFileSync(stamp, now);
}
