/**
 * A file is named after its subject. The words below name none: such files collect unrelated code, which
 * readers do not find again.
 */
import { relative, sep } from "node:path";

const anywhere = new Set(["util", "utils", "helper", "helpers", "manager", "managers"]);
const alone = new Set([...anywhere, "common", "shared", "misc", "lib"]);

/** @type {import("eslint").Rule.RuleModule} */
export const fileName = {
  meta: {
    type: "problem",
    schema: [],
    messages: { meaningless: '"{{name}}" says nothing about what is inside: name the subject.' },
  },
  create(context) {
    const path = relative(context.cwd, context.filename).split(sep);
    return {
      Program(node) {
        for (const name of path) {
          const stem = name.split(".")[0].toLowerCase();
          if (alone.has(stem) || stem.split("-").some((word) => anywhere.has(word)))
            context.report({ node, messageId: "meaningless", data: { name } });
        }
      },
    };
  },
};
