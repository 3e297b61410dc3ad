/** The facts that a database states about its schema: the range of code it works with, and the mappings. */
import type { Mapping } from "../../model/mapping.ts";
import { mappingDigest, type Queryable, type SchemaFacts, sqlState } from "../database/index.ts";

/** A schema from before it said so is simply older; so is none. */
const NOTHING_SAID: SchemaFacts = { version: 0, needs: 0, mapping: null };

export async function readSchemaFacts(database: Queryable): Promise<SchemaFacts> {
  try {
    const { rows } = await database.query<SchemaFacts>(
      `select
         coalesce(max(version), 0) as version,
         coalesce(max(needs), 0) as needs,
         (select digest from tandem.mappings_in_use) as mapping
       from tandem.migrations`,
    );
    return rows[0] ?? NOTHING_SAID;
  } catch (error) {
    if (["42P01", "42703"].includes(sqlState(error) ?? "")) return NOTHING_SAID;
    throw error;
  }
}

/** From here on, workers with other mappings stop. A schema from before this has no place for it. */
export async function noteMappings(
  database: Queryable,
  mappings: readonly Mapping[],
): Promise<void> {
  const { rows } = await database.query<{ there: boolean }>(
    "select to_regclass('tandem.mappings_in_use') is not null as there",
  );
  if (rows[0]?.there !== true) return;
  await database.query(
    `insert into tandem.mappings_in_use (digest) values ($1)
     on conflict (single) do update set digest = excluded.digest, migrated_at = tandem.now()
     where mappings_in_use.digest <> excluded.digest`,
    [mappingDigest(mappings)],
  );
}
