/**
 * What the compiler cannot see. Each rule says why it is here; an exemption, why it is safe.
 * `test/config/lint.test.ts` shows that the rules of our own fire.
 */
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";
import { fileName } from "./eslint/file-name.js";
import { importCircle } from "./eslint/import-circle.js";
import { importDirection } from "./eslint/import-direction.js";
import { linearRegex } from "./eslint/linear-regex.js";
import { plainWords } from "./eslint/plain-words.js";
import { reasonedDisable } from "./eslint/reasoned-disable.js";

const tandem = {
  rules: {
    "file-name": fileName,
    "import-circle": importCircle,
    "import-direction": importDirection,
    "linear-regex": linearRegex,
    "plain-words": plainWords,
    "reasoned-disable": reasonedDisable,
  },
};

/** Where a developer's eye is on the terminal: everywhere else, logging and output are injected. */
const printing = ["src/cli/**", "scripts/**", "bench/**", "examples/**"];

/** The compiler knows the browser's globals because of the dashboard; elsewhere they are slips. */
const browserGlobals = ["event", "name", "status", "location", "origin", "parent", "top", "self"]
  .concat(["open", "close", "stop", "find", "history", "length", "screen", "window", "document"])
  .concat(["localStorage", "sessionStorage"])
  .map((global) => ({
    name: global,
    message: "This is the browser's global: a local declaration is missing.",
  }));

/** Through these a decision would see something that is not in its arguments. */
const impureGlobals = [
  ...[
    "console",
    "process",
    "global",
    "globalThis",
    "crypto",
    "performance",
    "navigator",
    "Temporal",
  ],
  ...["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "BroadcastChannel"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "Promise"],
].map((name) => ({
  name,
  message: "model and engine are pure: take what you need as an argument.",
}));

const impureSyntax = [
  {
    selector:
      "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
    message: "Time is an argument.",
  },
  {
    selector: ":function[async=true], AwaitExpression, ForOfStatement[await=true]",
    message: "A decision waits for nothing: the runtime reads first, then asks.",
  },
  {
    selector: "TSTypeReference[typeName.name='Promise']",
    message: "A decision waits for nothing: the runtime reads first, then asks.",
  },
  {
    selector: "ImportExpression",
    message: "Import at the top: what a decision depends on is fixed.",
  },
  {
    selector: ":matches(Program, ExportNamedDeclaration) > VariableDeclaration[kind=/let|var/]",
    message: "A module of model or engine holds no state: the same arguments, the same answer.",
  },
];

const exitAndOutput = ["exit", "exitCode", "abort", "stdout", "stderr"].map((property) => ({
  object: "process",
  property,
  message: "Only src/cli ends the process or prints; return a value or take a logger.",
}));

export default defineConfig(
  { ignores: ["dist/", "coverage/", ".tandem/", ".tmp/"] },
  {
    name: "tandem/every file",
    plugins: { tandem, "import-x": importX },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    settings: {
      "import-x/resolver-next": [
        createNodeResolver({ extensions: [".ts", ".tsx", ".js", ".mjs"] }),
      ],
    },
    rules: {
      "tandem/file-name": "error",
      "tandem/import-direction": "error",
      "tandem/reasoned-disable": "error",
      // What does not fit in one sitting is two subjects.
      "max-lines": ["error", 400],
      // One name for one thing, wherever it is imported.
      "import-x/no-default-export": "error",
      // Two modules that need each other are one, or one too few.
      "tandem/import-circle": "error",
      // What a user does not get installed must not be imported.
      "import-x/no-extraneous-dependencies": ["error", { devDependencies: false }],
      "no-console": "error",
      // Coercion hides which of null, undefined, 0 and "" was meant.
      eqeqeq: ["error", "always", { null: "ignore" }],
    },
  },
  {
    name: "tandem/typescript",
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // In the presets already; named because the house rules do: types carry meaning.
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      // A promise nobody waits for is a failure nobody sees.
      "@typescript-eslint/no-floating-promises": "error",
      // A type import must not run the module (`import { type A }` does, under verbatimModuleSyntax).
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      // A new state must be met by every decision about states.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // An interface that may wait is also kept by what need not; `async` keeps its throws inside.
      "@typescript-eslint/require-await": "off",
      // Numbers print the same everywhere; objects, null and undefined do not.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `() => timer.cancel()` is clear; the rule's braces say no more.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // `_` marks what only its place or count matters of; `{ a, ...rest }` leaves a out.
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_$", ignoreRestSiblings: true },
      ],
    },
  },
  {
    name: "tandem/plain words",
    files: ["src/{model,engine,runtime}/**"],
    rules: { "tandem/plain-words": "error" },
  },
  {
    name: "tandem/text is read in linear time",
    files: ["src/**"],
    rules: { "tandem/linear-regex": "error" },
  },
  {
    name: "tandem/no browser globals",
    files: ["**/*.ts"],
    ignores: ["src/dashboard/**", "test/dashboard/**", "test/browser/**", "src/{model,engine}/**"],
    rules: { "no-restricted-globals": ["error", ...browserGlobals] },
  },
  {
    name: "tandem/the cli alone prints and exits",
    files: ["src/**"],
    ignores: ["src/cli/**"],
    rules: {
      "no-restricted-properties": ["error", ...exitAndOutput],
      "no-restricted-imports": [
        "error",
        { name: "node:process", message: "Only src/cli ends the process or prints." },
      ],
    },
  },
  {
    name: "tandem/model and engine are pure",
    files: ["src/model/**", "src/engine/**"],
    rules: {
      "no-restricted-globals": ["error", ...impureGlobals, ...browserGlobals],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: "Time is an argument." },
        { object: "Math", property: "random", message: "Randomness is an argument." },
      ],
      "no-restricted-syntax": ["error", ...impureSyntax],
      "no-restricted-imports": [
        "error",
        {
          paths: [
            {
              name: "node:crypto",
              allowImportNames: ["createHash", "hash"],
              message: "Of node:crypto only hashes are pure.",
            },
          ],
          patterns: [
            {
              regex: "^(?!\\.|node:crypto$|zod$)",
              message: "model and engine need the language and zod, nothing else.",
            },
          ],
        },
      ],
    },
  },
  {
    name: "tandem/tests",
    files: ["test/**"],
    rules: {
      // `expect.any(String)` and its like are typed `any` by Vitest.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "import-x/no-extraneous-dependencies": ["error", { devDependencies: true }],
      // A sleep is slow on a good day and too short on a bad one.
      "no-restricted-globals": [
        "error",
        ...["setTimeout", "setInterval"].map((name) => ({
          name,
          message: "Move the virtual clock, or wait for the condition with expect.poll.",
        })),
        ...browserGlobals,
      ],
      "no-restricted-imports": [
        "error",
        {
          name: "node:timers/promises",
          message: "Move the virtual clock, or wait for the condition with expect.poll.",
        },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression[object.name='vi'][property.name=/^(mock|doMock|hoisted)$/]",
          message: "Tests run our own code; what is not ours is stood in for by src/testing.",
        },
        {
          selector: "MemberExpression[object.name=/^(it|test|describe)$/][property.name='only']",
          message: "Left in, it would switch off every other test.",
        },
        {
          selector: "CallExpression Property[key.name=/^(retry|repeats)$/]",
          message: "A test that passes at the second attempt has found something.",
        },
      ],
    },
  },
  {
    name: "tandem/plain words",
    files: [
      ...["src/integrations/**", "src/server/**", "src/cli/**", "src/dashboard/**", "src/demo/**"],
      ...["src/*.ts", "src/testing/**", "bench/**", "scripts/**", "eslint/**"],
    ],
    rules: { "tandem/plain-words": "error" },
  },
  {
    name: "tandem/where printing is the purpose",
    files: printing,
    rules: { "no-console": "off" },
  },
  {
    name: "tandem/development only",
    files: ["scripts/**", "bench/**", "examples/**", "eslint/**", "*.{js,ts}"],
    rules: { "import-x/no-extraneous-dependencies": ["error", { devDependencies: true }] },
  },
  {
    name: "tandem/tools load these by their default export",
    files: ["*.config.{js,ts}", "**/tandem.config.ts"],
    rules: { "import-x/no-default-export": "off" },
  },
);
