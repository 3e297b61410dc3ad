/** Compiles a user's configuration to the model's mappings. Refuses mistakes with their path and reason. */
import { compileRedelivery, compileSafety, compileTimeZone } from "./compile-limits.ts";
import { checkShape } from "./config-shape.ts";
import {
  type AnyConfig,
  ConfigError,
  type IdentitiesConfig,
  type RecordConfig,
  type SyncConfig,
} from "./config.ts";
import type { Integration } from "./integrations/integration.ts";
import type { Json } from "./model/content.ts";
import type { FieldMapping, Journal, Mapping, PairingKey } from "./model/mapping.ts";
import type { ResourceType } from "./model/observation.ts";
import { didYouMean } from "./store/database/index.ts";
import type { AuthorHooks, HookBook, Hooks, Safety } from "./runtime/settings/index.ts";
import type { IdentitySettings } from "./store/store.ts";

export interface CompiledConfig {
  readonly integrations: ReadonlyMap<string, Integration>;
  readonly mappings: readonly Mapping[];
  readonly hooks: HookBook;
  readonly journals: readonly Journal[];
  readonly identities: IdentitySettings | null;
  /** The zone in which the app writes times without a zone; `null`: the database's. */
  readonly timeZone: string | null;
  readonly authors: AuthorHooks;
  readonly safety: Safety;
  readonly redeliverMillis: number | null;
}

/**
 * Compiles a configuration to mappings.
 *
 * @throws ConfigError if a name is unknown, or settings contradict each other.
 */
export function compileConfig(given: AnyConfig): CompiledConfig {
  const config = checkShape(given);
  const integrations = new Map(Object.entries(config.integrations));
  const synced = Object.entries(config.records).flatMap(([recordType, record]) =>
    Object.entries(record.sync ?? {}).map(([name, given]) => {
      const sync = given as SyncConfig;
      const path = `records.${recordType}.sync["${name}"]`;
      const place = { recordType, key: record.key ?? "id", name, path };
      const mapping = compileMapping(place, sync, integrations, config.identities);
      return [mapping, compileHooks(sync)] as const;
    }),
  );
  const mappings = synced.map(([mapping]) => mapping);
  for (const mapping of mappings) checkParent(mapping, mappings);
  return {
    integrations,
    mappings,
    hooks: new Map(synced),
    journals: Object.entries(config.records).flatMap(compileJournal),
    identities: compileIdentities(config.identities),
    timeZone: compileTimeZone(config.timeZone),
    authors: {
      attribution: config.identities?.attribution ?? null,
      token: config.identities?.token ?? null,
    },
    safety: compileSafety(config.safety ?? {}),
    redeliverMillis: compileRedelivery(config.redelivery ?? {}),
  };
}

function compileHooks(sync: SyncConfig): Hooks {
  const { defaults, derive, apply, afterCommit } = sync;
  return {
    defaults: typeof defaults === "function" ? defaults : () => defaults ?? {},
    derive: derive ?? null,
    apply: apply ?? null,
    afterCommit: afterCommit ?? null,
  };
}

function compileJournal([recordType, record]: readonly [
  string,
  RecordConfig<unknown>,
]): readonly Journal[] {
  const path = `records.${recordType}`;
  if (record.journal === true) {
    if (record.columns?.length === 0) {
      throw new ConfigError(
        "no_columns",
        `${path}.columns`,
        "a journal needs at least one column",
        "Name the columns to keep, or leave `columns` out to keep all.",
      );
    }
    return [{ recordType, key: record.key ?? "id", columns: record.columns ?? null }];
  }
  if (record.columns !== undefined) {
    throw new ConfigError(
      "no_journal",
      `${path}.columns`,
      "columns are set for a journal, but the record has none",
      "Add journal: true, or leave `columns` out.",
    );
  }
  if (record.sync === undefined) {
    throw new ConfigError(
      "nothing_to_do",
      path,
      "the record is neither synced nor journaled",
      "Add sync: { ... } or journal: true.",
    );
  }
  return [];
}

interface Place {
  readonly recordType: string;
  readonly key: string;
  readonly name: string;
  readonly path: string;
}

function compileMapping(
  place: Place,
  sync: SyncConfig,
  integrations: ReadonlyMap<string, Integration>,
  identities: IdentitiesConfig | undefined,
): Mapping {
  const { path } = place;
  const resource = findResource(place, integrations);
  const [integration = ""] = place.name.split(".");
  if (sync.scope === undefined && sync.parent === undefined) {
    throw new ConfigError(
      "no_scope",
      path,
      "no column selects the connection",
      'Name the column that selects it: scope: "project_id"; or the parent: { column, record }.',
    );
  }
  if (resource.parent !== null && sync.parent === undefined) {
    throw new ConfigError(
      "no_parent",
      path,
      `the resource "${resource.type}" needs the record of its "${resource.parent}" as its parent`,
      "Name the column that holds the parent's key: parent: { column, record }.",
    );
  }
  const fields = Object.entries(sync.fields).map(([column, field]) =>
    compileField(column, field, resource, `${path}.fields.${column}`),
  );
  const references = fields.some((field) => field.references !== null);
  if ((references || sync.author !== undefined) && identities === undefined) {
    throw new ConfigError(
      "no_identities",
      path,
      `${references ? "reference(...)" : "author"} needs to know the app's users`,
      'Add identities: { table: "users", login: { github: "github_login" } }.',
    );
  }
  for (const { column, references: table } of fields) {
    if (table === null || table === identities?.table) continue;
    throw new ConfigError(
      "wrong_reference",
      `${path}.fields.${column}`,
      `it refers to the table "${table}", but the users are in "${identities?.table ?? ""}"`,
      "Name the table of identities: a reference holds the key of the user who stands for the service's account.",
    );
  }
  return {
    recordType: place.recordType,
    key: place.key,
    integration,
    resource,
    scopeColumn: sync.scope ?? null,
    parent:
      sync.parent === undefined
        ? null
        : { column: sync.parent.column, recordType: sync.parent.record },
    fields,
    conflict: sync.conflict ?? "field",
    initial: sync.initial ?? "resource",
    pairBy: compilePairing(sync.pairBy, fields, `${path}.pairBy`),
    onResourceDeleted: sync.onResourceDeleted ?? "archive",
    onRecordDeleted: sync.onRecordDeleted ?? "close",
    softDelete: sync.softDelete ?? null,
    modifiedAt: sync.modifiedAt ?? null,
    author: sync.author ?? null,
  };
}

function compilePairing(
  given: SyncConfig["pairBy"],
  fields: readonly FieldMapping[],
  path: string,
): PairingKey | null {
  if (given === undefined) return null;
  if (typeof given === "object" && "externalId" in given) {
    return { kind: "external_id", column: given.externalId };
  }
  const columns = typeof given === "string" ? [given] : given;
  const mapped = columns.map((column) => {
    const found = fields.find((field) => field.column === column);
    if (found?.toResource != null) return found.field;
    throw new ConfigError(
      "bad_pairing_key",
      path,
      `the column ${column} is not mapped to a field that both sides have`,
      "Name mapped columns, or { externalId: COLUMN } if a column holds the resource's id.",
    );
  });
  if (mapped.length > 0) return { kind: "fields", fields: mapped };
  throw new ConfigError(
    "bad_pairing_key",
    path,
    "no column is named, so every record would match every resource",
    "Name mapped columns, or leave pairBy out.",
  );
}

function findResource(place: Place, integrations: ReadonlyMap<string, Integration>): ResourceType {
  const [name = "", type = ""] = place.name.split(".");
  const integration = integrations.get(name);
  if (integration === undefined) {
    const known = [...integrations.keys()];
    throw new ConfigError(
      "unknown_integration",
      place.path,
      `there is no integration "${name}"`,
      `Known: ${known.join(", ") || "none"}. Add it to integrations.${didYouMean(name, known)}`,
    );
  }
  const resource = integration.resources.find((candidate) => candidate.type === type);
  if (resource === undefined) {
    const known = integration.resources.map((candidate) => `${name}.${candidate.type}`);
    throw new ConfigError(
      "unknown_resource",
      place.path,
      `${name} has no resource "${type}"`,
      `Known: ${known.join(", ")}.${didYouMean(place.name, known)}`,
    );
  }
  return resource;
}

function compileField(
  column: string,
  field: SyncConfig["fields"][string],
  resource: ResourceType,
  path: string,
): FieldMapping {
  const name = typeof field === "string" ? field : field.field;
  const spec = Object.hasOwn(resource.fields, name) ? resource.fields[name] : undefined;
  if (spec === undefined) {
    const known = Object.keys(resource.fields);
    throw new ConfigError(
      "unknown_field",
      path,
      `the resource "${resource.type}" has no field "${name}"`,
      `Known: ${known.join(", ")}.${didYouMean(name, known)}`,
    );
  }
  if (typeof field === "string") {
    return {
      column,
      field: name,
      toResource: spec.writable ? (row) => plainValue(row[column]) : null,
      toRecord: (value) => value,
      references: null,
    };
  }
  if (!("toResource" in field)) {
    return { column, field: name, toResource: null, toRecord: null, references: field.table };
  }
  return {
    column,
    field: name,
    toResource: spec.writable ? field.toResource : null,
    toRecord: field.toRecord,
    references: null,
  };
}

/** A column's value as JSON; other values become their text. */
function plainValue(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return value;
  }
  if (Array.isArray(value)) return value.map(plainValue);
  return typeof value === "bigint" ? value.toString() : (JSON.parse(JSON.stringify(value)) as Json);
}

function checkParent(mapping: Mapping, mappings: readonly Mapping[]): void {
  const { parent } = mapping;
  if (parent === null) return;
  const found = mappings.some(
    (candidate) =>
      candidate.recordType === parent.recordType &&
      candidate.integration === mapping.integration &&
      candidate.resource.type === mapping.resource.parent,
  );
  if (found) return;
  const tables = mappings
    .filter(({ recordType }) => recordType !== mapping.recordType)
    .map(({ recordType }) => recordType);
  throw new ConfigError(
    "unmapped_parent",
    `records.${mapping.recordType}.sync["${mapping.integration}.${mapping.resource.type}"].parent`,
    `"${parent.recordType}" is not mapped to "${mapping.integration}.${mapping.resource.parent ?? ""}"`,
    `Map the parent's table: a child belongs to the connection of its parent.${didYouMean(parent.recordType, tables)}`,
  );
}

function compileIdentities(config: IdentitiesConfig | undefined): IdentitySettings | null {
  if (config === undefined) return null;
  return {
    table: config.table,
    key: config.key ?? "id",
    login: config.login,
    unknown: config.unknown ?? "placeholder",
    placeholder: config.placeholder ?? ((actor) => ({ name: actor.login, placeholder: true })),
  };
}
