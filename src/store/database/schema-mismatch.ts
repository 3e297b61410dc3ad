/** Whether this code and its mappings may work on a database that another generation migrated. */
import { digest } from "../../model/content.ts";
import type { Mapping } from "../../model/mapping.ts";

/** Why they may not, and what to do about it. */
export interface SchemaMismatch {
  readonly code: "schema_older" | "schema_newer" | "mapping_differs";
  readonly message: string;
  readonly hint: string;
}

/** The schema's versions and mapping digest, as the database stores them. */
export interface SchemaFacts {
  /** The last migration applied. */
  readonly version: number;
  /** The least that code must know to work with it. */
  readonly needs: number;
  /** The digest of the mappings that were migrated last; `null` where none were. */
  readonly mapping: string | null;
}

/**
 * Schemas are expanded first and contracted later, so code goes on with a newer schema until a
 * migration says that it needs newer code.
 *
 * @param knows the last migration that this code brings
 * @param mapping the digest of this process's mappings; `null` where it has none of its own
 */
export function schemaMismatchOf(
  facts: SchemaFacts,
  knows: number,
  mapping: string | null,
): SchemaMismatch | null {
  if (facts.version < knows) {
    return {
      code: "schema_older",
      message: `the schema is at migration ${facts.version}, and this version of Tandem needs ${knows}`,
      hint: "Run `tandem migrate`. Workers of the version before go on meanwhile, or say that they do not.",
    };
  }
  if (facts.needs > knows) {
    return {
      code: "schema_newer",
      message: `the schema is at migration ${facts.version} and needs code that knows ${facts.needs}; this version of Tandem knows ${knows}`,
      hint: "Start the version of Tandem here that migrated the database, or a newer one.",
    };
  }
  if (mapping !== null && mapping !== facts.mapping) {
    return {
      code: "mapping_differs",
      message: "the mappings of this process are not those that the database was migrated for",
      hint: "Restart it with the tandem.config.ts that was migrated last, or run `tandem migrate` with this one.",
    };
  }
  return null;
}

/** Digests every part of the mappings that two workers must agree on; functions cannot be compared. */
export function mappingDigest(mappings: readonly Mapping[]): string {
  const described = mappings.map(({ resource, fields, parent, ...mapping }) => ({
    ...mapping,
    resource: resource.type,
    parent: parent === null ? null : { ...parent },
    fields: fields
      .map(({ column, field, references }) => ({ column, field, references }))
      .sort((a, b) => (a.column < b.column ? -1 : 1)),
  }));
  const key = (one: { readonly integration: string; readonly resource: string }) =>
    `${one.integration}.${one.resource}`;
  const sorted = described.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return digest({ mappings: sorted });
}
