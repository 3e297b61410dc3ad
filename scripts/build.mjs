// Builds dist/: compiled modules and types by tsc, and the dashboard's static files beside them.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

// What a deleted source left behind must not be published.
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
