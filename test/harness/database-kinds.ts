/** The databases Tandem is tested on, and which of them this run covers. */
export type DatabaseKind = "pglite" | "postgres";

const all: readonly DatabaseKind[] = ["pglite", "postgres"];

/**
 * The databases that this run covers: both, unless `TANDEM_TEST_DATABASES` (a comma separated list) narrows it.
 *
 * @throws Error when the variable names a database that does not exist, so that a typing mistake
 *   cannot pass as a run without failures.
 */
export function databaseKindsFrom(list: string | undefined): DatabaseKind[] {
  if (list === undefined || list.trim() === "") return [...all];
  return list.split(",").map((entry) => {
    const kind = all.find((known) => known === entry.trim());
    if (kind === undefined) {
      throw new Error(`TANDEM_TEST_DATABASES: "${entry}" is none of ${all.join(", ")}`);
    }
    return kind;
  });
}

/**
 * The databases of stories of the whole: Postgres alone, which takes half of PGlite's time, unless the variable
 * names some. `npm run proof` runs them on PGlite as well; the variable `pglite,postgres` runs every test on both.
 */
export function kindsForDecisions(list: string | undefined): DatabaseKind[] {
  return list === undefined || list.trim() === "" ? ["postgres"] : databaseKindsFrom(list);
}
