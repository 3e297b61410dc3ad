/**
 * The configuration as a user writes it in `tandem.config.ts`. `defineConfig` types it, and
 * `compile-config.ts` compiles it to the model's mappings.
 */
import type { Integration } from "./integrations/integration.ts";
import type { Actor, Json } from "./model/content.ts";
import type { AnyEvent } from "./model/event.ts";
import type { ConflictPolicy, InitialPolicy, Row, RowPatch } from "./model/mapping.ts";
import type { AfterCommitHook, ApplyHook, Hooks, TokenHook } from "./runtime/settings/index.ts";

/** An integration that also declares the types of its resources' fields. */
export interface TypedIntegration<Fields extends object> extends Integration {
  /** Never set: it carries types only. */
  readonly fieldTypes?: Fields;
}

/** A column with the key of the row that represents an actor. */
export interface Reference<Field extends string = string> {
  readonly kind: "reference";
  readonly field: Field;
  readonly table: string;
}

/** A column that is translated by two functions, each the inverse of the other. */
export interface TranslatedField<Field extends string, Value> {
  readonly field: Field;
  readonly toResource: (row: Row) => Value;
  /** `row` is `null` while the record is being created. */
  readonly toRecord: (value: Value, row: Row | null) => unknown;
}

type FieldOf<Fields> = {
  [Name in keyof Fields & string]: Name | TranslatedField<Name, Fields[Name]> | Reference<Name>;
}[keyof Fields & string];

/** The mapping of one record type to one resource type. */
export interface SyncConfig<Fields = Readonly<Record<string, Json>>> {
  /** The column that selects the connection. Leave it out if a parent selects it. */
  readonly scope?: string;
  /** The column that holds the parent record's key, and the parent's table. */
  readonly parent?: { readonly column: string; readonly record: string };
  /** Columns by name: a field's name, a pair of functions, or `reference(...)`. */
  readonly fields: Readonly<Record<string, FieldOf<Fields>>>;
  /** The winner of a conflict over a field. Default: `field`, the later side per field. */
  readonly conflict?: ConflictPolicy;
  /** The winner when a record and a resource are first paired. Default: `resource`. */
  readonly initial?: InitialPolicy;
  /**
   * The key by which existing records and resources are recognised as the same: mapped columns whose values
   * are equal on both sides, or a column that holds the resource's id. They are paired before anything is
   * created. A key that several share is reported, and not paired. Default: no pairing.
   *
   * @example
   * pairBy: "title"
   * pairBy: ["title", "status"]
   * pairBy: { externalId: "github_number" }
   */
  readonly pairBy?: string | readonly string[] | { readonly externalId: string };
  /** Default: `archive`, which needs `softDelete`; without it the record is detached. */
  readonly onResourceDeleted?: "delete" | "archive" | "detach";
  /** Default: `close`, or the removal that the resource supports. */
  readonly onRecordDeleted?: "delete" | "close" | "detach";
  /** A timestamp column: a record with a value in it counts as deleted. */
  readonly softDelete?: string;
  /** The app's own modified-at column. */
  readonly modifiedAt?: string;
  /**
   * The column that names the user who wrote the record. Resources that the app creates are then posted with
   * a line that names this user (`identities.attribution`), and the line is removed from inbound content.
   * Do not name an owner column: the owner can change.
   */
  readonly author?: string;
  /** Values for columns that no field fills, when a record is created. */
  readonly defaults?: RowPatch | ((content: Partial<Fields>, event: AnyEvent) => RowPatch);
  /**
   * Columns computed from the row that is about to be written, and written together with the mapped ones.
   * The function must return the same for the same row. Derived columns are never sent to the provider.
   * For its own edits the app computes them itself, as before.
   *
   * The function runs while Tandem locks the record's row, and is cut off after 20 seconds as `apply` is.
   *
   * @example
   * derive: (row) => ({ html: render(String(row.markdown)) })
   */
  readonly derive?: Hooks["derive"];
  /**
   * The app's own code in place of Tandem's SQL, in Tandem's transaction and marked as Tandem's write. A
   * `ValidationError` ends the event with its message as the hint. Any error undoes the writes. A `delete`
   * may keep the row and mark it as deleted in the app's own way.
   *
   * It runs while Tandem locks the record's row, so write only with `tx`. An HTTP request would block the
   * app's writers. A second connection to the same database may wait for `tx` while `tx` waits for it. After
   * 20 seconds the hook is cut off, and the event ends errored with `hook_too_slow`, without a retry: a
   * deadlock would repeat. Such work belongs in `afterCommit`.
   *
   * @example
   * apply: async (tx, { op, row, patch }) => {
   *   const [task] = await saveTask(drizzle(tx.client as PoolClient), op, row, patch);
   *   return task.id; // for an insert: the new row's key
   * }
   */
  readonly apply?: ApplyHook;
  /**
   * Runs after the commit of a transaction that wrote a record: at least once, in this or another process.
   * If it throws, it is retried with growing delays.
   */
  readonly afterCommit?: AfterCommitHook;
}

type SyncOf<Integrations> = {
  [Name in keyof Integrations & string]: Integrations[Name] extends TypedIntegration<infer Fields>
    ? { [Type in keyof Fields & string as `${Name}.${Type}`]?: SyncConfig<Fields[Type]> }
    : never;
}[keyof Integrations & string];

export interface RecordConfig<Sync> {
  /** The primary key's column. Default: `id`. */
  readonly key?: string;
  /** The record's counterparts. Only a journaled record may have none. */
  readonly sync?: Sync;
  /** Keeps the record's own writes in the ledger, one event each, with or without `sync`. */
  readonly journal?: boolean;
  /** The columns whose changes the journal keeps. Default: all. */
  readonly columns?: readonly string[];
}

export interface IdentitiesConfig {
  /** The app's table of users. */
  readonly table: string;
  /** Its primary key's column. Default: `id`. */
  readonly key?: string;
  /** The column that holds a user's login, by integration. */
  readonly login: Readonly<Record<string, string>>;
  /** The user for an unknown author. Default: `placeholder`. */
  readonly unknown?: "null" | "placeholder" | "error";
  /** The columns of a placeholder besides its login. Default: `{ name: login, placeholder: true }`. */
  readonly placeholder?: (actor: Actor) => RowPatch;
  /**
   * The line above a user's text that Tandem posts, for mappings with an `author`: one line of Markdown,
   * `null` for none. Default: `**Name** wrote:`, with the user's `name` or else their login.
   *
   * @example
   * attribution: (user) => `**${user.full_name}** (via Acme Tasks):`
   */
  readonly attribution?: (user: Row) => string | null;
  /**
   * The user's own credentials at the integration (for GitHub `{ token }`), for mappings with an `author`.
   * Resources for their records are then created in their name, without the line. The account makes all
   * other requests, and those that the user's token may not make. `null`: the app has no token.
   *
   * It is called before each create. It returns the values themselves: `{ env: NAME }` is for accounts only.
   * The returned values are stored in no log and no table. If it throws, the message is logged. If it takes
   * more than 5 seconds, the account creates the resource instead.
   *
   * @example
   * token: async ({ user }) => {
   *   const token = await vault.read(`github/${String(user.id)}`);
   *   return token === undefined ? null : { token };
   * }
   */
  readonly token?: TokenHook;
}

/** Limits that stop Tandem before it does harm; `tandem status` shows what is stopped. */
export interface SafetyConfig {
  /**
   * Detects two systems that overwrite each other's value of a field. After this many flips within this many
   * minutes the pairing is switched off, until `tandem enable tasks 42`.
   * Default: `{ flips: 6, minutes: 10 }`; `false` never switches a pairing off.
   */
  readonly quarantine?: { readonly flips?: number; readonly minutes?: number } | false;
  /**
   * The blast radius: a sweep or reconcile that would delete or overwrite more records waits for
   * `tandem approve`. Both limits must be exceeded, the number and the share of a connection's records.
   * Webhooks and local writes are acts of people and are never held. Default: `{ records: 10, share: 0.2 }`; `false` holds no run.
   */
  readonly blastRadius?: { readonly records?: number; readonly share?: number } | false;
  /**
   * The least time between two writes of a record to its resource, in milliseconds. The first edit is sent
   * immediately; edits that follow within this time are sent in one request. GitHub asks for a second
   * between writes, and counts faster ones against its secondary limits. Default: 2,000; `false` for none.
   */
  readonly writePause?: number | false;
  /**
   * A resource is read before it is written, so that no edit is overwritten unread. A write that follows
   * another of the same record within this many milliseconds may use the last response instead of a read.
   * That saves a request, but an edit at the resource within that time can be overwritten unread.
   * Default: `false`, which always reads; at most 10,000.
   */
  readonly readFreshness?: number | false;
}

/** A database: a URL, a `pg.Pool` or a PGlite; in simulations and tests a `MemoryDatabase`. */
export type DatabaseSource = string | object;

export interface TandemConfig<
  Integrations extends Readonly<Record<string, TypedIntegration<object>>> = Readonly<
    Record<string, TypedIntegration<object>>
  >,
  Names extends string = string,
> {
  /** Default: a PGlite under `.tandem/`. */
  readonly database?: DatabaseSource | undefined;
  readonly integrations: Integrations;
  readonly identities?: IdentitiesConfig;
  /**
   * The zone in which the app writes columns of type `timestamp without time zone`. Set it to `"UTC"` if the
   * app's ORM always writes UTC. Default: the zone of the database, which its own `now()` uses.
   */
  readonly timeZone?: string;
  readonly safety?: SafetyConfig;
  /**
   * How often the delivery log of a GitHub App is read for failed webhooks. Each is requested again up to five
   * times within a day. A reading without failures costs one request. Only for accounts that log in as an
   * App. Default: `{ minutes: 5 }`; `false` never requests a redelivery.
   */
  readonly redelivery?: { readonly minutes?: number } | false;
  /**
   * The name of this deployment. A database that once had a name is processed under no other name, so that a
   * copy of it on a staging host does not post. Default: `TANDEM_INSTANCE_ID`, or none.
   */
  readonly instance?: string;
  readonly records: Readonly<Record<Names, RecordConfig<SyncOf<Integrations>>>>;
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
  Names extends string,
>(config: TandemConfig<Integrations, Names>): TandemConfig<Integrations, Names> {
  return config;
}

/** A column that holds the key of the row representing the field's actor. */
export function reference<const Field extends string>(
  field: Field,
  table: string,
): Reference<Field> {
  return { kind: "reference", field, table };
}

/** A mistake in a configuration: its path, its reason, and the remedy. */
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

/** Any configuration, without the types of its fields. */
export type AnyConfig = Omit<TandemConfig, "records"> & {
  readonly records: Readonly<Record<string, RecordConfig<Readonly<Record<string, unknown>>>>>;
};
