/** The typed views that show cached copies: one a resource type, such as `tandem.github_issues`. */
import { createHash } from "node:crypto";
import type { FieldKind } from "../../../model/content.ts";
import type { Mapping } from "../../../model/mapping.ts";
import { type Database, MigrationError, sqlState } from "../../database/index.ts";
import { quoteIdentifier, quoteLiteral } from "../driver/index.ts";

/** Creates views that are missing or different. Those of types no longer mapped stay: they show what was. */
export async function installResourceViews(
  database: Database,
  mappings: readonly Mapping[],
): Promise<void> {
  const byRelation = new Map(mappings.map((mapping) => [mapping.resource.relation, mapping]));
  for (const [relation, mapping] of byRelation) {
    const name = `tandem.${quoteIdentifier(relation)}`;
    const definition = viewSql(mapping);
    const digest = createHash("sha256").update(definition).digest("hex").slice(0, 16);
    await database.transaction(async (tx) => {
      await tx.query("select pg_advisory_xact_lock(hashtextextended('tandem migrate', 0))");
      const { rows } = await tx.query<{ digest: string | null }>(
        "select obj_description(to_regclass($1), 'pg_class') as digest",
        [name],
      );
      if (rows[0]?.digest === digest) return;
      await tx.query(`drop view if exists ${name}`).catch((error: unknown) => {
        throw inUse(relation, error);
      });
      await tx.query(`create view ${name} as ${definition}`);
      await tx.query(`comment on view ${name} is '${digest}'`);
    });
  }
}

/** Names that every view has; a field of such a name gets a prefix. */
const FIXED = new Set([
  ...["id", "connection_id", "external_id", "record_type", "record_id", "url", "deleted"],
]);

function viewSql({ integration, resource }: Mapping): string {
  const fields = Object.entries(resource.fields).map(([field, { kind }]) => {
    const name = FIXED.has(field) ? `field_${field}` : field;
    return `  integration_records.copy ${operator(kind)} ${quoteLiteral(field)} as ${quoteIdentifier(name)},`;
  });
  return `
select
  lanes.id,
  lanes.connection_id,
  lanes.external_id,
${fields.join("\n")}
  lanes.record_type,
  lanes.record_id,
  integration_records.display ->> 'url' as url,
  lanes.tombstone_event is not null as deleted
from tandem.lanes
join tandem.integration_records on integration_records.id = lanes.id
join tandem.connections on connections.id = lanes.connection_id
where connections.integration = ${quoteLiteral(integration)}
  and lanes.resource_type = ${quoteLiteral(resource.type)}`;
}

function operator(kind: FieldKind): "->" | "->>" {
  return kind === "set" || kind === "actor" ? "->" : "->>";
}

function inUse(relation: string, error: unknown): unknown {
  if (sqlState(error) !== "2BP01") return error;
  return new MigrationError(
    "view_in_use",
    `tandem.${relation} has to change, but something of yours depends on it`,
    "Drop what depends on it (the database's message names it), migrate, and create it again.",
    error,
  );
}
