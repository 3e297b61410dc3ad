/** The databases that a configuration may name. */
import { expect, it } from "vitest";
import {
  openDatabase,
  UnknownDatabaseError,
} from "../../src/store/postgres/driver/open-database.ts";

it("a client of another library is refused, and what can be given is said", async () => {
  const refused: unknown = await openDatabase({ query: () => [] }).catch((error: unknown) => error);

  expect(refused).toBeInstanceOf(UnknownDatabaseError);
  expect(refused).toMatchObject({
    message: "the database is neither a pg.Pool nor a PGlite",
    hint: expect.stringContaining('"memory://", a pg.Pool or a PGlite') as string,
  });
});
