/**
 * A rule may be wrong about one line; then the line names the rule and the reason:
 * `// eslint-disable-next-line no-bitwise -- mulberry32 is defined on 32-bit words`.
 * Whole files are exempted only in eslint.config.js, with a reason.
 */

/** @type {import("eslint").Rule.RuleModule} */
export const reasonedDisable = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      unreasoned:
        "Line {{line}}: name the rule and give the reason, `eslint-disable-next-line rule -- why`.",
    },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const directive = /^\s*eslint-disable(\S*)\s*([^]*)$/.exec(comment.value);
          if (directive === null) continue;
          const [, scope, rest] = directive;
          const oneLine = scope === "-next-line" || scope === "-line";
          if (oneLine && /^[^-\s][^]*?\s--\s+\S/.test(rest)) continue;
          // Before the first column, so that a directive for the whole file cannot disable this report.
          context.report({
            loc: { line: 1, column: -1 },
            messageId: "unreasoned",
            data: { line: comment.loc.start.line },
          });
        }
      },
    };
  },
};
