/** The dashboard's files as a browser fetches them, from a folder as the build makes it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dashboardAssets, pageHeaders } from "../../src/server/assets.ts";

const MAIN = "export {};\n";

describe("the dashboard's files", () => {
  let folder: string;

  beforeEach(async () => {
    folder = `${await mkdtemp(join(tmpdir(), "dashboard-"))}/`;
    await cp("src/dashboard/static", `${folder}static`, { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function build(): Promise<void> {
    await mkdir(`${folder}panes`);
    await writeFile(`${folder}main.js`, MAIN);
    await writeFile(`${folder}panes/tasks.js`, "export const tasks = [];\n");
    await writeFile(`${folder}main.d.ts`, "export {};\n");
    await writeFile(`${folder}.built-from`, "a digest");
  }
  const asked = (headers: Readonly<Record<string, string>>, method = "GET") =>
    new Request("http://localhost/assets/main.js", { method, headers });

  it("are the page, its styles, its icon, its modules, and preact's beside them", async () => {
    await build();
    const assets = dashboardAssets({ folder });
    const typeOf = async (path: string) => (await assets(path))?.headers.get("content-type");
    expect(await typeOf("/")).toBe("text/html; charset=utf-8");
    expect(await typeOf("/assets/static/page.css")).toBe("text/css; charset=utf-8");
    expect(await typeOf("/assets/static/favicon.svg")).toBe("image/svg+xml");
    expect(await typeOf("/assets/panes/tasks.js")).toBe("text/javascript; charset=utf-8");
    expect(await (await assets("/assets/main.js"))?.text()).toBe(MAIN);
    expect(await (await assets("/assets/panes/tasks.js"))?.text()).toContain("tasks = []");

    // All that the page names: what is missing would leave it empty.
    const page = (await (await assets("/"))?.text()) ?? "";
    const named = page.match(/"\.\/assets\/[^"]+"/g) ?? [];
    expect(named.length).toBeGreaterThan(8);
    // Below a base path an absolute address would miss Tandem.
    expect(page).not.toMatch(/(?:href|src)="\/|: "\//);
    for (const quoted of named) {
      const found = await assets(quoted.slice(2, -1));
      expect([quoted, found?.status]).toEqual([quoted, 200]);
      expect(await found?.text()).not.toBe("");
    }
    expect(page).toContain("/assets/vendor/preact-hooks.mjs");
    expect(await typeOf("/assets/vendor/preact-hooks.mjs")).toBe("text/javascript; charset=utf-8");
  });

  it("are these only: no other file, no folder, and no way out of the folder", async () => {
    await build();
    const assets = dashboardAssets({ folder });
    for (const path of [
      "/assets/main.d.ts",
      "/assets/.built-from",
      "/assets/panes",
      "/assets/static/index.html",
      "/assets/../package.json",
      "/main.js",
      "/assets/",
      "",
    ]) {
      expect([path, await assets(path)]).toEqual([path, null]);
    }
  });

  it("are guessed at by no browser, and the page has a policy that the others do not need", async () => {
    await build();
    const assets = dashboardAssets({ folder });
    const module = await assets("/assets/main.js");
    expect(Object.fromEntries(module?.headers ?? [])).toEqual({
      "cache-control": "no-cache",
      "content-type": "text/javascript; charset=utf-8",
      etag: expect.stringMatching(/^"[\w-]{27}"$/) as string,
      "x-content-type-options": "nosniff",
    });
    const page = await assets("/");
    expect(Object.fromEntries(page?.headers ?? [])).toMatchObject({
      "cache-control": "no-cache",
      "content-security-policy": expect.stringContaining("frame-ancestors 'none'") as string,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
  });

  it("that a browser has already are not sent again, and those that it has not are", async () => {
    await build();
    const assets = dashboardAssets({ folder });
    const first = await assets("/assets/main.js", asked({}));
    expect([first?.status, await first?.text()]).toEqual([200, MAIN]);
    const etag = first?.headers.get("etag") ?? "";

    // A proxy that compresses marks a tag as weak; a browser may send several.
    for (const known of [etag, `W/${etag}`, `"another", ${etag}`, `${etag} ,"another"`]) {
      const again = await assets("/assets/main.js", asked({ "if-none-match": known }));
      expect([known, again?.status, await again?.text()]).toEqual([known, 304, ""]);
      expect(again?.headers.get("etag")).toBe(etag);
      expect(again?.headers.get("cache-control")).toBe("no-cache");
    }
    const other = (await assets("/assets/panes/tasks.js"))?.headers.get("etag") ?? "";
    expect(other).not.toBe(etag);
    const changed = await assets("/assets/main.js", asked({ "if-none-match": other }));
    expect([changed?.status, await changed?.text()]).toEqual([200, MAIN]);
  });

  it("are asked for by their headers alone as well", async () => {
    await build();
    const head = await dashboardAssets({ folder })("/assets/main.js", asked({}, "HEAD"));
    expect([head?.status, await head?.text()]).toEqual([200, ""]);
    expect(head?.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  });

  it("know the demo by a mark on its page", async () => {
    await build();
    const page = async (demo: boolean) =>
      (await (await dashboardAssets({ folder, demo })("/"))?.text()) ?? "";
    expect(await page(false)).toContain('<html lang="en">');
    expect(await page(true)).toContain('<html data-demo lang="en">');
    expect((await page(true)).replace("data-demo ", "")).toBe(await page(false));
  });

  it("are said to be not built by a server that runs from the sources, until they are", async () => {
    const assets = dashboardAssets({ folder });
    for (const path of ["/", "/assets/main.js"]) {
      const answer = await assets(path);
      expect([path, answer?.status]).toEqual([path, 503]);
      expect(Object.fromEntries(answer?.headers ?? [])).toEqual({
        "content-security-policy": "default-src 'none'",
        "content-type": "text/html; charset=utf-8",
      });
      expect(await answer?.text()).toContain("npm run build");
    }
    expect(await assets("/elsewhere")).toBeNull();
    // These tests run from the sources, too.
    expect((await dashboardAssets()("/"))?.status).toBe(503);

    await build();
    expect((await assets("/"))?.status).toBe(200);
    expect((await assets("/assets/main.js"))?.status).toBe(200);
  });

  it("that cannot be read are a failure of the server, not a page that is missing", async () => {
    await build();
    await rm(`${folder}static/index.html`);
    await expect(dashboardAssets({ folder })("/")).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("the dashboard's page", () => {
  const html = readFileSync("src/dashboard/static/index.html", "utf8");

  it("may load and send to this server only, and is framed by nobody", () => {
    const importMap = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? "";
    const digest = createHash("sha256").update(importMap).digest("base64");
    expect(importMap).not.toBe("");
    expect(pageHeaders(html)).toEqual({
      "content-security-policy": `default-src 'none'; script-src 'self' 'sha256-${digest}'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      "referrer-policy": "no-referrer",
    });
  });

  it("has no script but its import map and files of its own", () => {
    const scripts = html.match(/<script[^>]*>/g) ?? [];
    expect(scripts.filter((tag) => !/type="importmap"|src="\.\/assets\//.test(tag))).toEqual([]);
    expect(html).not.toMatch(/\son\w+=|style=|javascript:/i);
  });
});
