/**
 * Rules for mistakes that the compiler cannot see. Each rule says why it exists; an exemption, why it is safe.
 * `test/config/lint.test.ts` shows that our own rules report.
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

/** Programs whose output a developer reads on the terminal. All other code gets a log or an output passed in. */
const printing = ["src/cli/**", "scripts/**", "bench/**", "examples/**"];

/** Because of the dashboard the compiler knows the browser's globals; elsewhere they are slips. */
const browserGlobals = ["event", "name", "status", "location", "origin", "parent", "top", "self"]
  .concat(["open", "close", "stop", "find", "history", "length", "screen", "window", "document"])
  .concat(["localStorage", "sessionStorage"])
  .map((global) => ({
    name: global,
    message: "This is the browser's global: a local declaration is missing.",
  }));

/** Globals by which a decision would depend on more than its arguments. */
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
  message: "model and engine are pure: pass this in as an argument.",
}));

const impureSyntax = [
  {
    selector:
      "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
    message: "Time is an argument.",
  },
  {
    selector: ":function[async=true], AwaitExpression, ForOfStatement[await=true]",
    message: "A decision must not wait: the runtime reads first, then calls it.",
  },
  {
    selector: "TSTypeReference[typeName.name='Promise']",
    message: "A decision must not wait: the runtime reads first, then calls it.",
  },
  {
    selector: "ImportExpression",
    message: "Import at the top: a decision's dependencies are fixed.",
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
      // A file that cannot be read in one sitting has two subjects.
      "max-lines": ["error", 400],
      // One name for one thing, in every importer.
      "import-x/no-default-export": "error",
      // Two modules that need each other are one module, or lack a third.
      "tandem/import-circle": "error",
      // Published code must not import packages that users do not install.
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
      // Part of the presets; repeated because types must carry meaning in this code base.
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      // An unawaited promise hides its failure.
      "@typescript-eslint/no-floating-promises": "error",
      // A type import must not run the module (`import { type A }` does, under verbatimModuleSyntax).
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      // Every decision about states must handle a new state.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // An asynchronous method may have nothing to await; `async` turns its throws into rejections.
      "@typescript-eslint/require-await": "off",
      // Numbers print the same everywhere; objects, null and undefined do not.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `() => timer.cancel()` is clear; braces would add nothing.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // There are no enums here, and types are structural on purpose. Each rule took a seventh of lint's time.
      "@typescript-eslint/no-unsafe-enum-assignment": "off",
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      // `_` marks a parameter that only holds a position; `{ a, ...rest }` removes a.
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_$", ignoreRestSiblings: true },
      ],
    },
  },
  {
    name: "tandem/plain words",
    // Not yet src/store.
    files: [
      "src/{*,!(store)/**/*}.{ts,tsx}",
      "{bench,eslint,scripts,test}/**/*.{js,mjs,ts,tsx}",
      "*.config.{js,ts}",
    ],
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
              message: "Only the hashes of node:crypto are pure.",
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
    name: "tandem/tests need few rules that ask for types",
    files: ["test/**/*.{ts,tsx}"],
    // A wrong value fails the test, and `expect.any(String)` and its like are typed `any` by Vitest.
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {},
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      // A promise that is not awaited passes.
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    name: "tandem/tests",
    files: ["test/**"],
    rules: {
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
          message: "Tests run our own code. Use src/testing in place of external systems.",
        },
        {
          selector: "MemberExpression[object.name=/^(it|test|describe)$/][property.name='only']",
          message: "A committed `only` would switch off all other tests.",
        },
        {
          selector: "CallExpression Property[key.name=/^(retry|repeats)$/]",
          message: "A test that passes only at the second attempt has found a bug.",
        },
      ],
    },
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
