/**
 * Texts come from unknown senders, so every regular expression must read them in linear time. An expression
 * that begins with an unbounded repeat followed by more, such as `\s*\n` or `\s+$`, is tried again at each
 * character of a long run. A lookbehind that only matches at the start of the run, or `^`, makes it linear.
 */
const ATOM = String.raw`(?:\\.|\[(?:\\.|[^\]\\])*\]|[^\\^$()[\]{}|?*+])`;
const REPEAT_AND_MORE = new RegExp(String.raw`^(?:\((?:\?:)?)*${ATOM}(?:[*+]|\{\d+,\})\??[^?)|]`);

/** @type {import("eslint").Rule.RuleModule} */
export const linearRegex = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      quadratic:
        "/{{pattern}}/ takes quadratic time on a long run of its first part: anchor it, or use trim or split.",
    },
  },
  create(context) {
    return {
      Literal(node) {
        const pattern = node.regex?.pattern;
        if (pattern === undefined || node.regex.flags.includes("y")) return;
        if (REPEAT_AND_MORE.test(pattern)) {
          context.report({ node, messageId: "quadratic", data: { pattern } });
        }
      },
    };
  },
};
