import { describe, expect, it } from "vitest";
import { isWebAddress } from "../../src/dashboard/elements/web-link.tsx";
import { webAddress } from "../../src/model/web-address.ts";

const HARMFUL = [
  "javascript:alert(1)",
  "JavaScript:alert(1)",
  "java\nscript:alert(1)",
  " javascript:alert(1)",
  "\u0001javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "blob:https://example.com/1",
];

describe("an address that another system gave", () => {
  it.each(["https://github.com/acme/site/issues/7", "http://github.example.com/a#b"])(
    "is a link where it is of the web: %s",
    (text) => {
      expect(webAddress(text)).toBe(text);
      expect(isWebAddress(text)).toBe(true);
    },
  );

  it.each([...HARMFUL, "", "/relative", "//elsewhere.example", "no address"])(
    "is none: %j",
    (text) => {
      expect(webAddress(text)).toBe(null);
      expect(isWebAddress(text)).toBe(false);
    },
  );

  it("may be missing", () => {
    expect(webAddress(undefined)).toBe(null);
    expect(isWebAddress(null)).toBe(false);
  });
});
