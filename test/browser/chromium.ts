/** Which browser the tests drive, and the reason when there is none. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * The path of Chromium, or `null`: then the tests are skipped on a developer's machine.
 *
 * @throws Error in CI, where a skipped test would be a hole.
 */
export function findChromium(): string | null {
  const named = process.env.CHROMIUM_PATH;
  const found = (named === undefined ? PLACES : [named]).find((path) => existsSync(path));
  if (found !== undefined) return found;
  if (process.env.CI === undefined) return null;
  throw new Error(`no Chromium at ${named ?? PLACES.join(", ")}: install it or set CHROMIUM_PATH`);
}

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGS });
}
