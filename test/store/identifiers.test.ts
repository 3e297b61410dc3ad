/** Names and texts of the app within statements: whatever characters they have, they stay what they are. */
import { describe, expect, it } from "vitest";
import { quoteIdentifier, quoteLiteral } from "../../src/store/postgres/driver/identifiers.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import { connectTo } from "./opened-store.ts";

const TEXTS = ["plain", "it's ''odd''", 'say "hi"', "back\\slash\\", "\\'; drop", "$1 täble\n"];

describe("an SQL text", () => {
  it.each([
    ["plain", '"plain"', "'plain'"],
    ['a"b"c', '"a""b""c"', `'a"b"c'`],
    ["it's 'it'", `"it's 'it'"`, "'it''s ''it'''"],
    ["a\\b\\", '"a\\b\\"', "E'a\\\\b\\\\'"],
    ["a\\'b", `"a\\'b"`, "E'a\\\\''b'"],
  ])("for %s is quoted as a name and as a literal", (text, name, literal) => {
    expect(quoteIdentifier(text)).toBe(name);
    expect(quoteLiteral(text)).toBe(literal);
  });
});

describeOnEachEmptyDatabase("quoted texts", (open) => {
  it("are read by Postgres as what they were, with either reading of backslashes", async () => {
    const database = await connectTo(await open());
    for (const conforming of ["on", "off"]) {
      await database.transaction(async (tx) => {
        await tx.query(`set local standard_conforming_strings to ${conforming}`);
        for (const text of TEXTS) {
          const { rows } = await tx.query(
            `select ${quoteLiteral(text)} as ${quoteIdentifier(text)}`,
          );
          expect(rows).toEqual([{ [text]: text }]);
        }
      });
    }
  });
});
