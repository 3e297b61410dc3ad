/**
 * What a user writes: `tandem.config.ts`. `defineConfig` types it; `compileConfig` turns it into
 * the model's mappings and refuses what cannot work, saying where and what to do.
 */
import type { Integration } from "./integrations/integration.ts";
import type { Actor, Json } from "./model/content.ts";
import type {
  ConflictPolicy,
  FieldMapping,
  InitialPolicy,
  Mapping,
  Row,
  RowPatch,
} from "./model/mapping.ts";
import type { ResourceType } from "./model/observation.ts";
import type { IdentitySettings } from "./store/store.ts";

/** An integration that tells the compiler the types of its resources' fields. */
export interface TypedIntegration<Fields extends object> extends Integration {
  /** Never set; it only carries types. */
  readonly fieldTypes?: Fields;
}

/** A column that holds the key of the row which stands for an actor. */
export interface Reference<Field extends string = string> {
  readonly kind: "reference";
  readonly field: Field;
  readonly table: string;
}

/** A column translated by a pair of functions. They must be each other's inverse. */
export interface TranslatedField<Field extends string, Value> {
  readonly field: Field;
  readonly toResource: (row: Row) => Value;
  /** `row` is `null` while the record is being created. */
  readonly toRecord: (value: Value, row: Row | null) => unknown;
}

type FieldOf<Fields> = {
  [Name in keyof Fields & string]: Name | TranslatedField<Name, Fields[Name]> | Reference<Name>;
}[keyof Fields & string];

/** How one record type corresponds to one resource type. */
export interface SyncConfig<Fields = Readonly<Record<string, Json>>> {
  /** The column that selects the connection. Leave it out where a parent selects it. */
  readonly scope?: string;
  /** The column that holds the parent record's key, and the parent's table. */
  readonly parent?: { readonly column: string; readonly record: string };
  /** Columns by name: a field's name, a pair of functions, or `reference(...)`. */
  readonly fields: Readonly<Record<string, FieldOf<Fields>>>;
  /** Who wins where both sides changed one field. Default: `field`, the later side per field. */
  readonly conflict?: ConflictPolicy;
  /** Who wins where a record and a resource that both exist are first paired. Default: `resource`. */
  readonly initial?: InitialPolicy;
  /** Default: `archive`, which needs `softDelete`; without it the record is detached. */
  readonly onResourceDeleted?: "delete" | "archive" | "detach";
  /** Default: `close`, or what the resource can do. */
  readonly onRecordDeleted?: "delete" | "close" | "detach";
  /** A timestamp column; set, it counts as deleted. */
  readonly softDelete?: string;
  /** The app's own modified-at column. */
  readonly modifiedAt?: string;
  /** Values for other columns when a record is created. */
  readonly defaults?: RowPatch;
}

type SyncOf<Integrations> = {
  [Name in keyof Integrations & string]: Integrations[Name] extends TypedIntegration<infer Fields>
    ? { [Type in keyof Fields & string as `${Name}.${Type}`]?: SyncConfig<Fields[Type]> }
    : never;
}[keyof Integrations & string];

export interface RecordConfig<Sync> {
  /** The primary key's column. Default: `id`. */
  readonly key?: string;
  readonly sync: Sync;
}

export interface IdentitiesConfig {
  /** The app's table of users. */
  readonly table: string;
  /** Its primary key's column. Default: `id`. */
  readonly key?: string;
  /** The column that holds a user's login, by integration. */
  readonly login: Readonly<Record<string, string>>;
  /** What an unknown author becomes. Default: `placeholder`. */
  readonly unknown?: "null" | "placeholder" | "error";
  /** The columns of a placeholder beside its login. Default: `{ name: login, placeholder: true }`. */
  readonly placeholder?: (actor: Actor) => RowPatch;
}

/** A database: a URL, a `pg.Pool` or a PGlite. */
export type DatabaseSource = string | object;

export interface TandemConfig<
  Integrations extends Readonly<Record<string, TypedIntegration<object>>> = Readonly<
    Record<string, TypedIntegration<object>>
  >,
> {
  /** Default: a PGlite under `.tandem/`. */
  readonly database?: DatabaseSource | undefined;
  readonly integrations: Integrations;
  readonly identities?: IdentitiesConfig;
  readonly records: Readonly<Record<string, RecordConfig<SyncOf<Integrations>>>>;
}

/**
 * Types a configuration and returns it as it is.
 *
 * @example
 * export default defineConfig({
 *   integrations: { github: github() },
 *   records: { tasks: { sync: { "github.issue": { scope: "project_id", fields: { title: "title" } } } } },
 * });
 */
export function defineConfig<
  const Integrations extends Readonly<Record<string, TypedIntegration<object>>>,
>(config: TandemConfig<Integrations>): TandemConfig<Integrations> {
  return config;
}

/** A column whose value is the row that stands for the field's actor. */
export function reference<const Field extends string>(
  field: Field,
  table: string,
): Reference<Field> {
  return { kind: "reference", field, table };
}

/** What is wrong with a configuration, where, and what to do about it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code: string;
  readonly path: string;
  readonly hint: string;

  constructor(code: string, path: string, message: string, hint: string) {
    super(`${path}: ${message}`);
    this.code = code;
    this.path = path;
    this.hint = hint;
  }
}

export interface CompiledConfig {
  readonly integrations: ReadonlyMap<string, Integration>;
  readonly mappings: readonly Mapping[];
  readonly identities: IdentitySettings | null;
}

/** Any configuration, its field types forgotten. */
export type AnyConfig = Omit<TandemConfig, "records"> & {
  readonly records: Readonly<
    Record<string, { readonly key?: string; readonly sync: Readonly<Record<string, unknown>> }>
  >;
};

/**
 * Turns a configuration into mappings.
 *
 * @throws ConfigError where something named does not exist or cannot work together.
 */
export function compileConfig(config: AnyConfig): CompiledConfig {
  const integrations = new Map(Object.entries(config.integrations));
  const mappings = Object.entries(config.records).flatMap(([recordType, record]) =>
    Object.entries(record.sync).map(([name, sync]) =>
      compileMapping(
        {
          recordType,
          key: record.key ?? "id",
          name,
          path: `records.${recordType}.sync["${name}"]`,
        },
        sync as SyncConfig,
        integrations,
        config.identities,
      ),
    ),
  );
  for (const mapping of mappings) checkParent(mapping, mappings);
  return { integrations, mappings, identities: compileIdentities(config.identities) };
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
      "nothing selects the connection",
      'Name the column that does: scope: "project_id"; or the parent: { column, record }.',
    );
  }
  if (resource.parent !== null && sync.parent === undefined) {
    throw new ConfigError(
      "no_parent",
      path,
      `a ${resource.type} lives inside a ${resource.parent}`,
      "Name the column that holds the parent's key: parent: { column, record }.",
    );
  }
  const fields = Object.entries(sync.fields).map(([column, field]) =>
    compileField(column, field, resource, `${path}.fields.${column}`),
  );
  const references = fields.some((field) => field.references !== null);
  if (references && identities === undefined) {
    throw new ConfigError(
      "no_identities",
      path,
      "reference(...) needs to know the app's users",
      'Add identities: { table: "users", login: { github: "github_login" } }.',
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
    onResourceDeleted: sync.onResourceDeleted ?? "archive",
    onRecordDeleted: sync.onRecordDeleted ?? "close",
    softDelete: sync.softDelete ?? null,
    modifiedAt: sync.modifiedAt ?? null,
    defaults: sync.defaults ?? {},
  };
}

function findResource(place: Place, integrations: ReadonlyMap<string, Integration>): ResourceType {
  const [name = "", type = ""] = place.name.split(".");
  const integration = integrations.get(name);
  if (integration === undefined) {
    throw new ConfigError(
      "unknown_integration",
      place.path,
      `there is no integration "${name}"`,
      `Known: ${[...integrations.keys()].join(", ") || "none"}. Add it to integrations.`,
    );
  }
  const resource = integration.resources.find((candidate) => candidate.type === type);
  if (resource === undefined) {
    throw new ConfigError(
      "unknown_resource",
      place.path,
      `${name} has no resource "${type}"`,
      `Known: ${integration.resources.map((known) => `${name}.${known.type}`).join(", ")}.`,
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
  const spec = resource.fields[name];
  if (spec === undefined) {
    throw new ConfigError(
      "unknown_field",
      path,
      `a ${resource.type} has no field "${name}"`,
      `Known: ${Object.keys(resource.fields).join(", ")}.`,
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
  if ("kind" in field) {
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

/** A column's value as JSON; what is not JSON becomes its text. */
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
  throw new ConfigError(
    "unmapped_parent",
    `records.${mapping.recordType}.sync["${mapping.integration}.${mapping.resource.type}"].parent`,
    `"${parent.recordType}" is not mapped to a ${mapping.integration}.${mapping.resource.parent ?? ""}`,
    "Map the parent's table first; its pairing tells where the child belongs.",
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
