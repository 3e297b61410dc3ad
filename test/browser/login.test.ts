/** The dashboard of a server that was started with a token: it asks for it, once. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/cli/context/http-server.ts";
import type { Tandem } from "../../src/server/tandem.ts";
import { PGlite } from "@electric-sql/pglite";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { builtModules } from "./built-demo.ts";
import { findChromium, launchChromium } from "./chromium.ts";

const chromium = findChromium();
const title = chromium === null ? "a login (skipped: no Chromium here)" : "a login";
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
    tandem = await createTandem(sampleConfig(pglite), { apiToken: TOKEN });
    await tandem.migrate();
    server = await startHttpServer(tandem.fetch, {
      host: "127.0.0.1",
      port: 0,
    });
    browser = await launchChromium(chromium ?? "");
    page = await browser.newPage();
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    await tandem.stop();
    await pglite.close();
  });

  it("shows nothing before, refuses a wrong token with what to do, and lets the right one in", async () => {
    await page.goto(server.url);
    const token = page.getByLabel("API token");
    await token.fill("a guess");
    await page.getByRole("button", { name: "Log in" }).click();
    await page
      .getByText("Send the value of TANDEM_API_TOKEN from the server's environment")
      .waitFor();
    expect(await page.locator(".connections").count()).toBe(0);

    await token.fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    // The stream is open: it carries the cookie, as it can carry no header.
    await page.getByText("Live", { exact: true }).waitFor();
  });

  it("does not ask again", async () => {
    await page.reload();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await page.getByLabel("API token").count()).toBe(0);
  });

  it("shows who is logged in and who did what, by page", async () => {
    for (let count = 0; count < 50; count += 1) await act("/api/sync");
    await act("/api/connections/7/pause");
    await page.getByRole("link", { name: "Logins and acts" }).click();
    const sheet = page.getByRole("dialog", { name: "Logins and acts" });
    const acts = sheet.getByRole("region", { name: "Acts" });
    await acts.getByText("connection.pause").waitFor();
    await acts.getByText("refused, 404").waitFor();
    await acts.getByText("API token, from 127.0.0.1").first().waitFor();
    expect(await acts.getByText("login", { exact: true }).count()).toBe(0);
    await acts.getByRole("button", { name: "Older" }).click();
    await acts.getByText("refused, 401").waitFor();
    await acts.getByText("login", { exact: true }).first().waitFor();
  });

  it("logs out, and asks for the token again", async () => {
    const logins = page.getByRole("region", { name: "Logins" });
    await logins.getByText("this one").waitFor();
    await logins.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("API token").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
  });

  it("asks for the token where the login was revoked, though the page is open", async () => {
    await act("/api/sessions/revoke");
    await page.getByLabel("API token").waitFor();
  });

  async function act(path: string): Promise<void> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    await fetch(`${server.url}${path}`, { method: "POST", headers });
  }
});
