/**
 * What a user writes: `tandem.config.ts`. `defineConfig` types it, and
 * `compile-config.ts` turns it into the model's mappings.
 */
import type { Integration } from "./integrations/integration.ts";
import type { Actor, Json } from "./model/content.ts";
import type { AnyEvent } from "./model/event.ts";
import type { ConflictPolicy, InitialPolicy, Row, RowPatch } from "./model/mapping.ts";
import type { AfterCommitHook, ApplyHook, Hooks, TokenHook } from "./runtime/services/index.ts";

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
  /**
   * By what a record and a resource that both exist already are the same thing: mapped columns whose
   * values are equal on both sides, or a column that holds the resource's id. They are paired by it
   * before anything is created; what several share is named, and never guessed. Default: nothing is.
   *
   * @example
   * pairBy: "title"
   * pairBy: ["title", "status"]
   * pairBy: { externalId: "github_number" }
   */
  readonly pairBy?: string | readonly string[] | { readonly externalId: string };
  /** Default: `archive`, which needs `softDelete`; without it the record is detached. */
  readonly onResourceDeleted?: "delete" | "archive" | "detach";
  /** Default: `close`, or what the resource can do. */
  readonly onRecordDeleted?: "delete" | "close" | "detach";
  /** A timestamp column; set, it counts as deleted. */
  readonly softDelete?: string;
  /** The app's own modified-at column. */
  readonly modifiedAt?: string;
  /**
   * The column that names the user who wrote the record. What the app creates is then posted with a
   * line that names them (`identities.attribution`), which is taken off again on the way in. Not an
   * owner, who may be somebody else tomorrow.
   */
  readonly author?: string;
  /** Values for columns that no field fills, when a record is created. */
  readonly defaults?: RowPatch | ((content: Partial<Fields>, event: AnyEvent) => RowPatch);
  /**
   * Columns computed from the row as it will be, written together with the mapped ones. It must
   * give the same for the same row. Derived columns are never sent out; where the app itself edits
   * a row, deriving is the app's own business, as it was before.
   *
   * It runs while Tandem holds the record's row, and is cut off after 20 seconds as `apply` is.
   *
   * @example
   * derive: (row) => ({ html: render(String(row.markdown)) })
   */
  readonly derive?: Hooks["derive"];
  /**
   * The app's own code in place of Tandem's SQL, in Tandem's transaction and marked as Tandem's. A
   * `ValidationError` ends the event with its message as the hint; whatever is thrown undoes what
   * was written. A `delete` may keep the row, marked as the app marks what is deleted.
   *
   * It runs while Tandem holds the record's row: write with `tx` alone. HTTP would keep the app's
   * writers waiting, and another connection to the same database may wait for `tx` while `tx` waits
   * for it. After 20 seconds it is cut off and the event errored with `hook_too_slow`, for good:
   * what waits for itself waits again. Such work belongs into `afterCommit`.
   *
   * @example
   * apply: async (tx, { op, row, patch }) => {
   *   const [task] = await saveTask(drizzle(tx.client as PoolClient), op, row, patch);
   *   return task.id; // of an insert: the new row's key
   * }
   */
  readonly apply?: ApplyHook;
  /**
   * Runs after the transaction that wrote a record was committed: at least once, in this process or
   * another, and again with growing pauses where it throws.
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
  /** What the record corresponds to. Only a journaled record may have none. */
  readonly sync?: Sync;
  /** Keeps the record's own writes in the ledger, one event each, synced or not. */
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
  /** What an unknown author becomes. Default: `placeholder`. */
  readonly unknown?: "null" | "placeholder" | "error";
  /** The columns of a placeholder beside its login. Default: `{ name: login, placeholder: true }`. */
  readonly placeholder?: (actor: Actor) => RowPatch;
  /**
   * The line above what a user wrote and we post, for mappings with an `author`: one line of
   * Markdown, `null` for none. Default: `**Name** wrote:`, by the user's `name` or else their login.
   *
   * @example
   * attribution: (user) => `**${user.full_name}** (via Acme Tasks):`
   */
  readonly attribution?: (user: Row) => string | null;
  /**
   * The user's own credentials at the integration (for GitHub `{ token }`), for mappings with an
   * `author`: what they write in the app is then created in their name, and without the line.
   * Everything else, and whatever their token may not do, is done by the account. `null`: the app has
   * none.
   *
   * It is asked before each create. It gives the values themselves: `{ env: NAME }` is for accounts
   * alone. What it returns is kept nowhere, in no log and no table; where it
   * throws, its message is logged. It has 5 seconds, then the account writes instead.
   *
   * @example
   * token: async ({ user }) => {
   *   const token = await vault.read(`github/${String(user.id)}`);
   *   return token === undefined ? null : { token };
   * }
   */
  readonly token?: TokenHook;
}

/** What stops Tandem before it does harm; what it stops is told by `tandem status`. */
export interface SafetyConfig {
  /**
   * Two systems that fight over a field, each taking back what the other wrote: after so many flips
   * within so many minutes the pairing is switched off, until `tandem enable tasks 42`.
   * Default: `{ flips: 6, minutes: 10 }`; `false` lets them fight.
   */
  readonly quarantine?: { readonly flips?: number; readonly minutes?: number } | false;
  /**
   * A sweep or reconcile that would delete or overwrite more than so many records, and more than
   * this share of a connection's, waits for `tandem approve`. Webhooks and local writes are what
   * somebody did, and are never held. Default: `{ records: 10, share: 0.2 }`; `false` holds nothing.
   */
  readonly blastRadius?: { readonly records?: number; readonly share?: number } | false;
  /**
   * The least time between two writes of a record to its resource, in milliseconds. The first edit
   * leaves at once; those that follow it within this time leave together, in one call. GitHub asks for
   * a second between writes, and counts those that come faster against its secondary limits.
   * Default: 2,000; `false` for none.
   */
  readonly writePause?: number | false;
  /**
   * A resource is read before it is written, so that nothing is overwritten unread. A write that follows
   * another of the same record within so many milliseconds may take the answer to that for the read. It saves
   * a request, and an edit at the resource within that time can be overwritten unread.
   * Default: `false`, which reads each time; at most 10,000.
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
   * The zone in which the app writes columns of type `timestamp without time zone`, as `"UTC"` where its ORM does
   * whatever the database says. Default: the zone of the database, in which its own `now()` is written.
   */
  readonly timeZone?: string;
  readonly safety?: SafetyConfig;
  /**
   * How often a GitHub App's log of deliveries is looked at for webhooks that failed, which are then
   * asked for again: up to five times each, within a day. One request each time where nothing did.
   * For accounts that log in as an App. Default: `{ minutes: 5 }`; `false` never asks.
   */
  readonly redelivery?: { readonly minutes?: number } | false;
  /**
   * What this deployment calls itself. A database that once had a name is worked on under no other,
   * so that a copy of it, on a staging host, does not post. Default: `TANDEM_INSTANCE_ID`, or none.
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

/** Any configuration, its field types forgotten. */
export type AnyConfig = Omit<TandemConfig, "records"> & {
  readonly records: Readonly<Record<string, RecordConfig<Readonly<Record<string, unknown>>>>>;
};
