/**
 * The language rules of CONTRIBUTING.md that a pattern can express, for comments, titles, messages and Markdown:
 * a sentence names its subject, and uses the words of the field (docs/glossary.md).
 *
 * `badSentences` is the rule itself. ESLint applies it to TypeScript and JavaScript, `scripts/plain-words.mjs` to
 * Markdown.
 */

/** A sentence that begins with one of these hides its subject; a question may begin with them. */
const beginning =
  /^(who|what|whoever|whatever|whichever|whose|whom|whomever|nobody|somebody|where|wherever|of)\b/i;

/** House words, each with the precise words of the field. */
const houseWords = [
  [/\buntold\b/i, "not reported, pending"],
  [/\banew\b/i, "again, or: recreate, requeue, restart"],
  [/\bfor good\b/i, "permanently"],
  [/\btaken? in\b/i, "stored, ingested, admitted"],
  [/\b(has|have|had) (it|them) back\b/i, "is paired with it again, is restored"],
];

/**
 * The sentences of `text` that break a rule, each with the reason.
 * @param {string} text Plain text: no comment markers, no Markdown.
 * @returns {{ sentence: string, offset: number, why: string }[]}
 */
export function badSentences(text) {
  const found = [];
  for (const { 0: sentence, index } of text.matchAll(
    /[^.!?;]+(?:[.!?;](?!\s|$)[^.!?;]*)*[.!?;]?/g,
  )) {
    const start = sentence.search(/[\p{L}\p{N}]/u);
    if (start < 0) continue;
    const words = sentence.slice(start).trim();
    const add = (why) =>
      found.push({ sentence: words.replace(/\s+/g, " "), offset: index + start, why });
    const first = beginning.exec(words)?.[0];
    // A fragment of a word or two is a label or a title, not a sentence.
    if (first !== undefined && !words.endsWith("?") && words.split(/\s+/).length > 3)
      add(`begins with "${first.toLowerCase()}": name the subject`);
    for (const [word, instead] of houseWords) {
      const used = word.exec(words)?.[0];
      if (used !== undefined) add(`"${used}": say ${instead}`);
    }
  }
  return found;
}

/** Whether a text is a statement, or a condition of one that compares something. */
const isSql = (text) =>
  /^\s*(select|insert|update|delete|with|create|alter)\b/i.test(text) ||
  /^\s*where .*(=|\$\d)/.test(text);

/** Directives and references, which are not sentences. */
const noSentence = /^\s*(eslint-|@ts-|prettier-|\/ <reference|c8 |v8 )/;

/** The texts of a program's comments; consecutive line comments are one text. */
function commentTexts(sourceCode) {
  const texts = [];
  for (const comment of sourceCode.getAllComments()) {
    if (noSentence.test(comment.value) || comment.type === "Shebang") continue;
    // The length stays the same, so that an offset in the text is one in the file.
    const value = comment.value
      .replace(/^[ \t]*\*/gm, (marker) => " ".repeat(marker.length))
      .replace(/`[^`\n]*`/g, (code) => "x".repeat(code.length))
      .replace(/\n[ \t]*\n/g, (gap) => `.${gap.slice(1)}`);
    const last = texts.at(-1);
    const gap = last === undefined ? "" : sourceCode.text.slice(last.end, comment.range[0]);
    if (
      comment.type === "Line" &&
      last?.line === true &&
      /^\s*$/.test(gap) &&
      !/\n\s*\n/.test(gap)
    ) {
      last.text += `${gap}  ${value}`;
      last.end = comment.range[1];
    } else {
      const line = comment.type === "Line";
      texts.push({ start: comment.range[0] + 2, end: comment.range[1], text: value, line });
    }
  }
  return texts;
}

/** @type {import("eslint").Rule.RuleModule} */
export const plainWords = {
  meta: {
    type: "suggestion",
    schema: [],
    messages: { unclear: "{{why}}, in: {{sentence}}" },
  },
  create(context) {
    const { sourceCode } = context;
    const report = (text, start) => {
      for (const { sentence, offset, why } of badSentences(text)) {
        const loc = sourceCode.getLocFromIndex(start + offset);
        context.report({ loc, messageId: "unclear", data: { why, sentence } });
      }
    };
    /** Checks texts for people: those with more than three words that are no query. */
    const reportText = (value, node) => {
      if (isSql(value)) return;
      if (value.trim().split(/\s+/).length > 3) report(value, node.range[0] + 1);
    };
    return {
      Program() {
        for (const { start, text } of commentTexts(sourceCode)) report(text, start);
      },
      Literal(node) {
        if (typeof node.value === "string") reportText(node.value, node);
      },
      TemplateLiteral(node) {
        reportText(node.quasis.map(({ value }) => value.raw).join("x"), node);
      },
      JSXText(node) {
        reportText(node.value, node);
      },
    };
  },
};
