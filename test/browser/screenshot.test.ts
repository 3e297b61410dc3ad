/** Paints the README's picture, when asked: `TANDEM_SCREENSHOT=1 npm run test:browser`. */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { Demo } from "../../src/demo/demo.ts";
import { startBuiltDemo } from "./built-demo.ts";
import { findChromium, launchChromium } from "./chromium.ts";
import { DemoPage } from "./demo-page.ts";

const chromium = process.env.TANDEM_SCREENSHOT === "1" ? findChromium() : null;

describe.skipIf(chromium === null)("the README's picture (TANDEM_SCREENSHOT=1)", () => {
  let demo: Demo;
  let browser: Browser;

  beforeAll(async () => {
    demo = await startBuiltDemo();
    browser = await launchChromium(chromium ?? "");
  });

  afterAll(async () => {
    await browser.close();
    await demo.close();
  });

  it("shows both sides after edits of either, and a conflict with what was lost", async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const person = new DemoPage(page);
    await person.open(demo.url);
    await person.retitle(person.tasks, "Write the release notes", "Write the notes of release 2.0");
    await person.sees(person.issues, "Write the notes of release 2.0");
    const task = person.card(person.tasks, "Broken link in the footer");
    await task.getByRole("combobox").selectOption("review");
    await person.retitle(person.issues, "Dark mode for the help pages", "Dark mode everywhere");
    await person.sees(person.tasks, "Dark mode everywhere");
    await person.press("edit-both-sides");
    const conflict = person.ledger.locator(".event", { hasText: /\d conflict/ }).first();
    await conflict.getByRole("button").first().click();
    await conflict.getByText("lost", { exact: true }).waitFor();
    await person.agreed();

    const images = fileURLToPath(new URL("../../docs/images/", import.meta.url));
    await mkdir(images, { recursive: true });
    await page.mouse.move(720, 2);
    await page.screenshot({ path: `${images}dashboard.png`, animations: "disabled" });
  });
});
