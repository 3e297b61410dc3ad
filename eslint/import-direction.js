/**
 * Imports point one way (docs/architecture.md):
 *
 *   model ◄─ engine ◄─ runtime ◄─ compose ◄─ server, cli
 *               ▲          ├─► store/store.ts               (interface) ◄─ store/postgres
 *               └──────────┴─► integrations/integration.ts  (interface) ◄─ integrations/github, ...
 *
 * so that a decision can be read without its database, and a new store or adapter changes none of its callers.
 * The tables below contain these rules, and are the only place to change them. The folders within a layer have an
 * order, too, and each has one door: its `index.ts`.
 */
import { dirname, relative, resolve, sep } from "node:path";

/** May be imported with `import type` only. */
const types = (layer) => `${layer} (types)`;

const interfaces = ["model", "engine", "store", "integrations"];
const implementations = ["store/*", "integrations/*"];
/** Folders of the store that implement it; the others belong to its interface. */
const stores = ["postgres", "memory"];
const library = [...interfaces, ...implementations, "runtime", "compose", "server"];

/**
 * A layer may import itself and the listed ones. `*`: each folder is a layer of its own. `compose`
 * is every file directly under src except `index.ts`, which is `entry`.
 */
const mayImport = {
  model: [],
  engine: ["model"],
  store: ["model", types("engine")],
  integrations: ["model", types("engine")],
  "store/*": ["model", "engine", "store"],
  "integrations/*": ["model", "integrations"],
  runtime: interfaces,
  compose: [...interfaces, ...implementations, "runtime"],
  server: [...interfaces, "runtime", "compose"],
  dashboard: [types("model"), types("server/protocol/index"), types("demo/api-types")],
  cli: [...library, "entry", "testing", "demo"],
  demo: [...library, "entry", "testing"],
  testing: [...library, "entry"],
  entry: library,
};

/** Files directly in the path that has the folders. Other folders import them without a door. */
const TOP = ".";

/** The folders of a path, bottom to top: each may import itself and those before it. */
const folders = {
  engine: [
    "lane",
    "merge",
    "creates",
    "limits",
    "admission",
    "processing",
    "lifecycle",
    "reconcile",
  ],
  runtime: [
    "settings",
    "failures",
    "services",
    "listeners",
    "hooks",
    "claims",
    "records",
    "admission",
    "identities",
    "deletions",
    "moves",
    "inbound",
    "backfill",
    "outbound",
    "safety",
    "receive",
    "reconcile",
    "worker",
  ],
  store: ["database", TOP, "rules"],
  "store/postgres": [
    "driver",
    "lanes",
    "ledger",
    "deliveries",
    "directory",
    "capture",
    "records",
    TOP,
  ],
  "store/memory": ["tables", "lanes", TOP],
  cli: ["output", "context", "commands", TOP],
  dashboard: ["data", "elements", "panes", TOP],
  server: ["protocol", "access", "api", TOP],
  "integrations/github": ["transport", "access", TOP],
  "testing/github": ["world", "faults", "webhooks", "people", "api", TOP],
  "testing/simulation": ["world", "history", "people", "judge", TOP],
};

/** The longest path of the table above that has the file: `store/postgres` rather than `store`. */
function pathWithFolders(file) {
  return Object.keys(folders)
    .filter((path) => file.startsWith(`${path}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Packages that belong to some layers: other layers go through the interface of these. */
const packageBelongsTo = [
  {
    package: /^(pg|@electric-sql\/pglite)(\/|$)/,
    layers: ["store/*", "compose", "cli", "demo", "testing"],
  },
  { package: /^@octokit\//, layers: ["integrations/*", "testing"] },
  { package: /^hono(\/|$)|^@hono\//, layers: ["server", "cli", "demo", "testing"] },
  { package: /^commander$/, layers: ["cli"] },
  { package: /^preact(\/|$)/, layers: ["dashboard"] },
];

/**
 * @param {string} source relative to src, with `/`
 * @returns {{ layer: string, unit: string, file: string, path?: string, folder?: string }} the layer, which
 *   one of its kind, the module without its extension, the path in `folders`, and the folder within it
 */
function place(source) {
  const file = source.replace(/\.[cm]?[jt]sx?$/, "");
  const [top, ...rest] = file.split("/");
  if (rest.length === 0) {
    const layer = top === "index" ? "entry" : "compose";
    return { layer, unit: layer, file };
  }
  const isImplementation =
    rest.length > 1 && (top === "integrations" || (top === "store" && stores.includes(rest[0])));
  const unit = isImplementation ? `${top}/${rest[0]}` : top;
  const path = pathWithFolders(file);
  const within = path === undefined ? [] : file.slice(path.length + 1).split("/");
  return {
    layer: isImplementation ? `${top}/*` : top,
    unit,
    file,
    ...(path === undefined ? {} : { path, folder: within.length > 1 ? within[0] : TOP }),
  };
}

/**
 * @param {ReturnType<typeof place>} from
 * @param {ReturnType<typeof place>} to
 * @returns {string | null} the message about an import between folders, if there is something wrong
 */
function wrongBetweenFolders(from, to) {
  if (to.folder === undefined) return null;
  if (from.path === to.path && from.folder === to.folder) return null;
  const order = folders[to.path];
  if (!order.includes(to.folder)) return "unknownFolder";
  if (from.path === to.path && order.indexOf(to.folder) > order.indexOf(from.folder))
    return "upward";
  return to.folder === TOP || to.file === `${to.path}/${to.folder}/index` ? null : "door";
}

/** @type {import("eslint").Rule.RuleModule} */
export const importDirection = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      against:
        "{{from}} must not import {{to}}: imports point from server and cli to model, never back.",
      typesOnly: "{{from}} may import the types of {{to}} only: write `import type`.",
      outside: "src must not import {{to}}: what is published cannot depend on what is not.",
      package: "{{to}} belongs to {{layers}}; {{from}} must use their interface.",
      door: "{{file}} is inside a folder: import the folder's index.ts, or let that export what is needed.",
      upward: "{{from}} is below {{to}} in eslint/import-direction.js, and must not import it.",
      unknownFolder: "{{to}} is no folder of the table in eslint/import-direction.js: add it.",
      unknown: "{{from}} is no layer: add it to the table in eslint/import-direction.js.",
    },
  },
  create(context) {
    const root = resolve(context.cwd, "src");
    const pathOf = (file) => relative(root, file).split(sep).join("/");
    const own = pathOf(context.filename);
    if (own.startsWith("../")) return {};
    const from = place(own);
    const allowed = mayImport[from.layer];

    const check = (node, source, typeOnly) => {
      if (typeof source?.value !== "string") return;
      const report = (messageId, data) => {
        context.report({ node: source, messageId, data: { from: from.unit, ...data } });
      };
      if (allowed === undefined) return report("unknown", {});
      if (!source.value.startsWith(".")) {
        const owner = packageBelongsTo.find((entry) => entry.package.test(source.value));
        if (owner !== undefined && !owner.layers.includes(from.layer))
          report("package", { to: source.value, layers: owner.layers.join(", ") });
        return;
      }
      const target = pathOf(resolve(dirname(context.filename), source.value));
      if (target.startsWith("../")) {
        if (!target.endsWith(".json")) report("outside", { to: source.value });
        return;
      }
      const to = place(target);
      const wrong = wrongBetweenFolders(from, to);
      if (wrong !== null) {
        const within = ({ unit, path = unit, folder = TOP }) =>
          folder === TOP ? path : `${path}/${folder}`;
        report(wrong, { from: within(from), to: within(to), file: `src/${to.file}.ts` });
      }
      if (to.unit === from.unit || allowed.includes(to.layer)) return;
      const byTypes = [to.layer, to.file].some((name) => allowed.includes(types(name)));
      if (!byTypes) report("against", { to: to.unit });
      else if (!typeOnly) report("typesOnly", { to: to.unit });
    };
    const inTypePosition = (node) =>
      (node.importKind ?? node.exportKind) === "type" ||
      (node.specifiers?.length > 0 &&
        node.specifiers.every((each) => (each.importKind ?? each.exportKind) === "type"));
    return {
      ImportDeclaration: (node) => check(node, node.source, inTypePosition(node)),
      ExportNamedDeclaration: (node) => check(node, node.source, inTypePosition(node)),
      ExportAllDeclaration: (node) => check(node, node.source, inTypePosition(node)),
      ImportExpression: (node) => check(node, node.source, false),
      TSImportType: (node) => check(node, node.source ?? node.argument?.literal, true),
    };
  },
};
