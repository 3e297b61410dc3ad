/**
 * The dashboard's files: its page, styles and compiled modules, with preact's modules.
 *
 * All files are read once and served from memory by exact path, so no request reaches the disk. The
 * page's policy allows this server as the only source, and the one inline script, the import map, by
 * its digest.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

interface Asset {
  readonly body: string;
  readonly type: string;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

const HTML = "text/html; charset=utf-8";

/** The files that are served unchanged. The page is not one: the demo's page and its headers differ. */
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The names in the page's import map. */
const VENDOR = {
  "preact.mjs": "preact",
  "preact-hooks.mjs": "preact/hooks",
  "preact-jsx-runtime.mjs": "preact/jsx-runtime",
} as const;

const IMPORT_MAP = /<script type="importmap">([\s\S]*?)<\/script>/;

export interface DashboardOptions {
  /** Tells the page to show the demo's panes. */
  readonly demo?: boolean;
  /** The compiled dashboard, with a slash at its end; default: the one of this build. */
  readonly folder?: string;
}

/** Answers a path of the dashboard; `null` for any other path. */
export type DashboardAssets = (path: string, request?: Request) => Promise<Response | null>;

/**
 * @example
 * const assets = dashboardAssets();
 * const page = await assets("/");
 */
export function dashboardAssets(options: DashboardOptions = {}): DashboardAssets {
  const { demo = false, folder = fileURLToPath(new URL("../dashboard/", import.meta.url)) } =
    options;
  let loading: Promise<ReadonlyMap<string, Asset>> | null = null;
  return async (path, request) => {
    loading ??= loadAssets(folder, demo);
    let assets: ReadonlyMap<string, Asset>;
    try {
      assets = await loading;
    } catch (error) {
      loading = null;
      if (!(error instanceof NotBuilt)) throw error;
      return path === "/" || path.startsWith("/assets/") ? notBuilt() : null;
    }
    const asset = assets.get(path);
    return asset === undefined ? null : respond(asset, request);
  };
}

function respond(asset: Asset, request: Request | undefined): Response {
  const headers = {
    "cache-control": "no-cache",
    etag: asset.etag,
    "x-content-type-options": "nosniff",
    ...asset.headers,
  };
  const known =
    request?.headers
      .get("if-none-match")
      ?.split(",")
      .map((tag) => tag.trim()) ?? [];
  if (known.some((tag) => tag.replace(/^W\//, "") === asset.etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(request?.method === "HEAD" ? null : asset.body, {
    headers: { ...headers, "content-type": asset.type },
  });
}

async function loadAssets(folder: string, demo: boolean): Promise<ReadonlyMap<string, Asset>> {
  const files = await readdir(folder, { recursive: true });
  if (!files.includes("main.js")) throw new NotBuilt();
  const assets = new Map<string, Asset>();
  const add = async (path: string, file: string): Promise<void> => {
    const type = TYPES[extname(file)];
    if (type !== undefined) assets.set(path, assetOf(await readFile(file, "utf8"), type));
  };
  await Promise.all(
    files
      .map((file) => file.replaceAll("\\", "/"))
      .map((file) => add(`/assets/${file}`, `${folder}${file}`)),
  );
  await Promise.all(
    Object.entries(VENDOR).map(([name, module]) =>
      add(`/assets/vendor/${name}`, fileURLToPath(import.meta.resolve(module))),
    ),
  );
  const html = await readFile(`${folder}static/index.html`, "utf8");
  const page = demo ? html.replace("<html ", "<html data-demo ") : html;
  assets.set("/", assetOf(page, HTML, pageHeaders(page)));
  return assets;
}

/** The page's policy: it may load from and send to this server only, and no page may frame it. */
export function pageHeaders(html: string): Readonly<Record<string, string>> {
  const importMap = IMPORT_MAP.exec(html)?.[1] ?? "";
  const digest = createHash("sha256").update(importMap).digest("base64");
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${digest}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "referrer-policy": "no-referrer",
  };
}

function assetOf(body: string, type: string, headers: Asset["headers"] = {}): Asset {
  const digest = createHash("sha256").update(body).digest("base64url");
  return { body, type, etag: `"${digest.slice(0, 27)}"`, headers };
}

/** The dashboard's modules are missing: the build compiles them, and a browser cannot run the sources. */
class NotBuilt extends Error {
  override readonly name = "NotBuilt";
}

function notBuilt(): Response {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tandem</title>
<h1>The dashboard is not built</h1>
<p>This server runs from the sources. Run <code>npm run build</code>, then start it from
<code>dist</code> (<code>npm start</code> does both).</p>`;
  return new Response(html, {
    status: 503,
    headers: {
      "content-type": HTML,
      "content-security-policy": "default-src 'none'",
    },
  });
}
