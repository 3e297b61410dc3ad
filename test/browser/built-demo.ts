/** The demo from `dist`, as it is published: only there the page's modules are compiled. */
import { existsSync } from "node:fs";
import type { Demo, startDemo } from "../../src/demo/demo.ts";
import { silentLog } from "../../src/runtime/log.ts";

/** Keeps nothing, on any free ports. @throws Error where `dist` was not built. */
export async function startBuiltDemo(): Promise<Demo> {
  const built = new URL("../../dist/demo/demo.js", import.meta.url);
  if (!existsSync(built)) throw new Error("dist/ is missing: run `npm run build` first");
  // Compiled from the very module whose type is imported above.
  const module = (await import(/* @vite-ignore */ built.href)) as {
    startDemo: typeof startDemo;
  };
  return module.startDemo({
    port: 0,
    githubPort: 0,
    host: "127.0.0.1",
    dataDir: null,
    github: null,
    log: silentLog,
  });
}
