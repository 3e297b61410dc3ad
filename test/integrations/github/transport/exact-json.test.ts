/** JSON whose long integers keep their last digits. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseExactly } from "../../../../src/integrations/github/transport/exact-json.ts";

describe("parseExactly", () => {
  test("keeps every digit of an id beyond 2^53", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 10n ** 15n, max: 2n ** 70n }), (id) => {
        expect(parseExactly(`{"id":${String(id)},"ids":[-${String(id)}]}`)).toEqual({
          id: String(id),
          ids: [`-${String(id)}`],
        });
      }),
    );
  });

  test("reads everything else as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const short = text.replaceAll(/-?\d[\d.eE+-]{15,}/g, "1");
        expect(parseExactly(short)).toEqual(JSON.parse(short));
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["digits in a string", String.raw`{"body":"12345678901234567890"}`],
    ["digits behind an escaped quote", String.raw`{"body":"a\"12345678901234567890,"}`],
    ["digits behind a string that ends in a backslash", String.raw`["\\","12345678901234567890"]`],
    ["a long fraction", "[0.12345678901234567890]"],
    ["a long number with an exponent", "[1234567890123456789e2]"],
  ])("leaves %s alone", (_name, text) => {
    expect(parseExactly(text)).toEqual(JSON.parse(text));
  });

  test.each(["{", "[00000000000000001]", "12345678901234567x", ""])("refuses %j", (text) => {
    expect(() => parseExactly(text)).toThrow(SyntaxError);
  });
});
