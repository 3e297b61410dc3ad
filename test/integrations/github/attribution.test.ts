/** The laws of the line that says who wrote a body. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { putAttribution, takeAttribution } from "../../../src/integrations/github/attribution.ts";
import { ISSUE_COMMENT } from "../../../src/integrations/github/resources.ts";
import { BODY_LIMIT, putToken, takeToken } from "../../../src/integrations/github/token.ts";
import { storableText } from "../../../src/model/content.ts";

const MARKER = "<!-- tandem-author -->";
const LINE = "**Mona** wrote:";
/** Text as it comes: line breaks of all kinds, quotations, and lines and markers copied from elsewhere. */
const bodies = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\n", "\r\n", "\r", "\n\n", " ", "\0", "> ", "<!--", "-->", "```\n"),
      fc.constantFrom(
        MARKER,
        `${LINE} ${MARKER}`,
        `${LINE} ${MARKER}\n\n`,
        `> ${LINE} ${MARKER}\n`,
      ),
      fc.constantFrom("<!-- tandem:k3J9 -->", "\n\n<!-- tandem:k3J9 -->"),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));
const lines = fc.oneof(fc.constant(LINE), fc.string(), bodies);
const tokens = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const plain = fc
  .array(fc.constantFrom("a", "word ", "\n", "\n\n", "- item\n", "> quoted\n", "```\ncode\n```\n"))
  .map((parts) => parts.join(""));

/** The text that GitHub is sent, and the text that is read back of it. */
const post = (body: string, line: string, token: string) => {
  const values = ISSUE_COMMENT.attribute({ body }, line, token);
  return putToken(values.body as string, token);
};
const read = (text: string) => {
  const { body, token } = takeToken(text);
  return { body: takeAttribution(body), token };
};
const count = (text: string) => text.split(MARKER).length - 1;

/** The rule as it was first written, which read a line again for each marker in it. */
function findLineSlowly(text: string): { readonly start: number; readonly end: number } | null {
  for (let from = text.indexOf(MARKER); from !== -1; from = text.indexOf(MARKER, from + 1)) {
    const start = text.lastIndexOf("\n", from) + 1;
    const next = text.indexOf("\n", from);
    const end = next === -1 ? text.length : next;
    if (text.slice(start, from).trimStart().startsWith(">")) continue;
    const behind = from + MARKER.length;
    if (text.slice(behind, end).trim() === "") return { start, end };
    if (start === 0) return { start, end: behind };
  }
  return null;
}

describe("a line that says who wrote it", () => {
  test("is found where it was found when each marker was looked at by itself", () => {
    const crowded = fc
      .array(fc.constantFrom(MARKER, "> ", "\n", " ", "a", `${MARKER} `, `\n${MARKER}`), {
        maxLength: 12,
      })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(crowded, (text) => {
        const found = findLineSlowly(text);
        const isTop = found !== null && text.slice(0, found.start).trim() === "";
        const body = takeAttribution(text);
        if (found === null) expect(body).toBe(text);
        else if (isTop) expect(text.slice(found.end).replace(/^\n\n?/, "")).toBe(body);
        else expect(body.startsWith(text.slice(0, found.start).trimEnd())).toBe(true);
        if (found !== null)
          expect(body.length).toBeLessThanOrEqual(text.length - MARKER.length + 2);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is looked for in linear time, in a quotation of a hundred thousand markers", () => {
    const quoted = `>${` a ${MARKER}`.repeat(100_000)}`;
    expect(takeAttribution(quoted)).toBe(quoted);
    const typed = `a\nb${` ${MARKER} a`.repeat(100_000)}`;
    expect(takeAttribution(typed)).toBe(typed);
    const tokens = `a${" <!-- tandem:k3J9 -->".repeat(100_000)} b${" ".repeat(300_000)}c`;
    expect(takeToken(tokens).token).toBeNull();
  });

  test("comes off again, and the body is what it was, canonically", () => {
    fc.assert(
      fc.property(bodies, lines, (body, line) => {
        expect(takeAttribution(putAttribution(body, line))).toBe(storableText(body));
      }),
      { numRuns: 2_000 },
    );
  });

  test("comes off with a token beside it, through an editor that makes every line end CRLF", () => {
    fc.assert(
      fc.property(bodies, lines, tokens, (body, line, token) => {
        const posted = post(body, line, token);
        expect(read(posted)).toEqual({ body: storableText(body), token });
        expect(read(posted.replaceAll("\n", "\r\n"))).toEqual({ body: storableText(body), token });
      }),
      { numRuns: 1_000 },
    );
  });

  test("is one line, however often the body goes round, whoever edits it where", () => {
    const edits = fc.array(
      fc.oneof(
        // Blank lines alone, in a body that is empty, are no words of anybody.
        fc.record({ at: fc.constant("below" as const), text: plain.map((text) => `y${text}`) }),
        fc.record({ at: fc.constant("app" as const), text: plain }),
        fc.record({ at: fc.constant("line" as const), text: fc.constantFrom("Not ", "") }),
        fc.record({ at: fc.constant("gone" as const), text: fc.constant("") }),
        fc.record({ at: fc.constant("nobody" as const), text: fc.constant("") }),
        fc.record({ at: fc.constant("crlf" as const), text: fc.constant("") }),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(plain, tokens, edits, (start, token, all) => {
        let record = storableText(start);
        for (const { at, text } of all) {
          if (at === "app") record = storableText(record + text);
          let posted = post(record, LINE, token);
          expect(count(posted)).toBe(1);
          expect(posted.startsWith(`${LINE} ${MARKER}`)).toBe(true);
          if (at === "crlf") posted = posted.replaceAll("\n", "\r\n");
          if (at === "line") posted = text + posted;
          if (at === "gone") posted = posted.replace(`${LINE} ${MARKER}`, "").replace(/^\n\n/, "");
          if (at === "below") {
            // Typed at the end of what they see, above the token that they do not.
            const { body } = takeToken(posted);
            posted = putToken(body + text, token);
          }
          const seen = read(posted);
          expect(seen).toEqual({ body: at === "below" ? `${record}${text}` : record, token });
          record = seen.body;
        }
      }),
      { numRuns: 500 },
    );
  });

  test("leaves what somebody types above it, and is at the top the next time", () => {
    fc.assert(
      fc.property(plain, plain, (above, body) => {
        fc.pre(above.trim() !== "" && body.trim() !== "");
        const edited = `${above}\n${putAttribution(body, LINE)}`;
        const seen = takeAttribution(edited);
        expect(count(seen)).toBe(0);
        expect(seen).toContain(above.trimEnd());
        expect(seen).toContain(body.trim());
        // From here on it is a body like any other.
        expect(takeAttribution(putAttribution(seen, LINE))).toBe(seen);
      }),
    );
  });

  it("is told from what somebody quotes or copies below", () => {
    const posted = putAttribution("Agreed", LINE);
    const quoted = posted.replaceAll(/^/gm, "> ");
    expect(takeAttribution(putAttribution(`${quoted}\n\nMe too`, LINE))).toBe(
      `${quoted}\n\nMe too`,
    );
    expect(takeAttribution(`${quoted}\n\nMe too`)).toBe(`${quoted}\n\nMe too`);
    // Copied as it is into a comment of their own: the words are theirs now, the line is nobody's.
    expect(takeAttribution(posted)).toBe("Agreed");
    const told = `He did.\nHe said ${MARKER} and went on`;
    expect(takeAttribution(told)).toBe(told);
  });

  it("stays one line and no quotation, whatever it is asked to say", () => {
    expect(putAttribution("x", "> two\nlines <!-- tandem-author -->")).toBe(
      `two lines &lt;!-- tandem-author --> ${MARKER}\n\nx`,
    );
    expect(putAttribution("", LINE)).toBe(`${LINE} ${MARKER}`);
  });

  it("is left out where there is no room for it, before the token is", () => {
    const token = "k3J9";
    const room = BODY_LIMIT - `\n\n<!-- tandem:${token} -->`.length;
    const full = "x".repeat(room);
    expect(post(full, LINE, token)).toBe(putToken(full, token));
    const line = `${LINE} ${MARKER}\n\n`;
    const fitting = "x".repeat(room - line.length);
    expect(post(fitting, LINE, token)).toHaveLength(BODY_LIMIT);
    expect(post(fitting, LINE, token).startsWith(line)).toBe(true);
  });
});
