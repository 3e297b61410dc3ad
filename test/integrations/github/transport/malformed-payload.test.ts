import { expect, test } from "vitest";
import { readJson } from "../../../../src/integrations/github/transport/payload.ts";

test("a payload that is no JSON fails for the parser's reason", () => {
  expect(() => readJson("{")).toThrow(
    expect.objectContaining({ code: "malformed_json", cause: expect.any(SyntaxError) as Error }),
  );
});
