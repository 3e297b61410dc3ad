/** The dashboard of an app that mounts Tandem below a path: page, modules, login, API and stream. */
import type { Browser, Page } from "playwright-core";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/cli/context/http-server.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import type { Tandem } from "../../src/server/tandem.ts";
import { builtModules } from "./built-demo.ts";
import { findChromium, launchChromium } from "./chromium.ts";

const chromium = findChromium();
const title = chromium === null ? "a mounted page (skipped: no Chromium here)" : "a mounted page";
const TOKEN = "the server's own token";

describe.skipIf(chromium === null)(title, () => {
  let pglite: PGlite;
  let tandem: Tandem;
  let server: HttpServer;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const { createTandem, sampleConfig, startHttpServer } = await builtModules();
    pglite = await PGlite.create();
    await pglite.exec(SAMPLE_SCHEMA);
    tandem = await createTandem(sampleConfig(pglite), { apiToken: TOKEN, basePath: "/ops/tandem" });
    await tandem.migrate();
    server = await startHttpServer(tandem.fetch, { host: "127.0.0.1", port: 0 });
    browser = await launchChromium(chromium ?? "");
    page = await browser.newPage();
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    await tandem.stop();
    await pglite.close();
  });

  it("loads, logs in and streams, and asks nothing outside of its path", async () => {
    const outside: string[] = [];
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      if (!pathname.startsWith("/ops/tandem")) outside.push(pathname);
    });
    await page.goto(new URL("/ops/tandem", server.url).href);
    expect(new URL(page.url()).pathname).toBe("/ops/tandem/");
    await page.getByLabel("API token").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(outside).toEqual([]);
  });
});
