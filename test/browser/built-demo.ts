/** The demo, and its parts, from `dist`, as it is published: only there the page's modules are compiled. */
import { existsSync } from "node:fs";
import type { startHttpServer } from "../../src/cli/context/http-server.ts";
import type { Demo, startDemo } from "../../src/demo/demo.ts";
import type { sampleConfig } from "../../src/demo/sample-config.ts";
import { silentLog } from "../../src/runtime/services/log.ts";
import type { createTandem } from "../../src/server/tandem.ts";

/** A module of `dist`, whose type is that of the source it was compiled from. */
async function built<T>(path: string): Promise<T> {
  const url = new URL(`../../dist/${path}`, import.meta.url);
  if (!existsSync(url)) throw new Error("dist/ is missing: run `npm run build` first");
  return (await import(/* @vite-ignore */ url.href)) as T;
}

/** The published modules that serve the page. @throws Error if `dist` was not built. */
export async function builtModules() {
  return {
    ...(await built<{ createTandem: typeof createTandem }>("server/tandem.js")),
    ...(await built<{ sampleConfig: typeof sampleConfig }>("demo/sample-config.js")),
    ...(await built<{ startHttpServer: typeof startHttpServer }>("cli/context/http-server.js")),
  };
}

/** Keeps nothing, on any free ports. @throws Error where `dist` was not built. */
export async function startBuiltDemo(): Promise<Demo> {
  const { startDemo: start } = await built<{ startDemo: typeof startDemo }>("demo/demo.js");
  return start({
    port: 0,
    githubPort: 0,
    host: "127.0.0.1",
    dataDir: null,
    github: null,
    log: silentLog,
  });
}
