/** The laws of the token in a body. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BODY_LIMIT,
  hasRoomForToken,
  putToken,
  takeToken,
} from "../../../src/integrations/github/token.ts";
import { storableText } from "../../../src/model/content.ts";

const tokens = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
/** Text as it comes: any code units, lone surrogates included, line breaks and markers of others. */
const bodies = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
      fc.constantFrom("\n", "\r\n", "\r", "\n\n", " ", "\0", "\u{1F600}", "<!--", "-->", "```\n"),
      tokens.map((token) => `<!-- tandem:${token} -->`),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("a token that was put into a body", () => {
  test("comes back out, and the body is what it was, canonically", () => {
    fc.assert(
      fc.property(bodies, tokens, (body, token) => {
        expect(takeToken(putToken(body, token))).toEqual({ body: storableText(body), token });
      }),
      { numRuns: 2_000 },
    );
  });

  test("survives an editor that makes every line end CRLF and adds white space at the end", () => {
    fc.assert(
      fc.property(bodies, tokens, fc.stringMatching(/^[ \n]{0,4}$/), (body, token, tail) => {
        const edited = (putToken(body, token) + tail).replaceAll("\n", "\r\n");
        expect(takeToken(edited)).toEqual({ body: storableText(body), token });
      }),
    );
  });

  test("can be put a second time without growing the body", () => {
    fc.assert(
      fc.property(bodies, tokens, tokens, (body, first, second) => {
        const once = takeToken(putToken(body, first));
        expect(putToken(once.body, second)).toBe(putToken(body, second));
      }),
    );
  });

  test("never makes a body longer than GitHub takes", () => {
    const long = fc
      .tuple(fc.integer({ min: BODY_LIMIT - 120, max: BODY_LIMIT }), tokens)
      .map(([length, token]) => ({ body: "x".repeat(length), token }));
    fc.assert(
      fc.property(long, ({ body, token }) => {
        const put = putToken(body, token);
        expect(put.length).toBeLessThanOrEqual(BODY_LIMIT);
        expect(takeToken(put)).toEqual({
          body,
          token: hasRoomForToken(body, token) ? token : null,
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe("a body", () => {
  test.each([
    ["shows no sign of the token", "Fix it", "Fix it\n\n<!-- tandem:k3J9 -->"],
    ["that is empty holds the token alone", "", "<!-- tandem:k3J9 -->"],
    ["keeps its own blank lines", "Fix it\n\n", "Fix it\n\n\n\n<!-- tandem:k3J9 -->"],
  ])("%s", (_name, body, put) => {
    expect(putToken(body, "k3J9")).toBe(put);
    expect(takeToken(put)).toEqual({ body, token: "k3J9" });
  });

  test.each([
    ["without a marker has no token", "Fix it", "Fix it", null],
    ["keeps what people typed below the marker", "A\n\n<!-- tandem:t -->\n\nB", "A\n\nB", "t"],
    ["keeps what people typed behind the marker", "A\n\n<!-- tandem:t --> B", "A\n\nB", "t"],
    ["may have lost the blank line above the marker", "A\n<!-- tandem:t -->", "A", "t"],
    ["may have lost the line above the marker", "A <!-- tandem:t -->", "A ", "t"],
    ["keeps a marker that is quoted in a sentence", "`<!-- tandem:t -->` is it", null, null],
    [
      "keeps all markers but the last",
      "A\n\n<!-- tandem:a -->\n\n<!-- tandem:b -->",
      "A\n\n<!-- tandem:a -->",
      "b",
    ],
  ])("%s", (_name, stored, body, token) => {
    expect(takeToken(stored)).toEqual({ body: body ?? stored, token });
  });

  test("travels without a token where it leaves no room for one", () => {
    const body = "x".repeat(BODY_LIMIT);
    expect(hasRoomForToken(body, "k3J9")).toBe(false);
    expect(putToken(body, "k3J9")).toBe(body);
  });

  test("is never given a token that its marker could not hold", () => {
    expect(() => putToken("Fix it", "a -->")).toThrow(RangeError);
    expect(() => putToken("Fix it", "")).toThrow(RangeError);
  });
});
