/** From actors at an integration to the keys of the app's users. */
import type { Actor } from "../model/content.ts";
import type { EventId } from "../model/ids.ts";
import type { ActorReference, Row, RowPatch } from "../model/mapping.ts";
import { RecordWriteError } from "./record-write-error.ts";
import type { IdentitySettings } from "./store.ts";

/** A table with its key column. */
export interface RecordTable {
  readonly name: string;
  readonly key: string;
}

/** What a store needs to offer of the rows that stand for actors. */
export interface ActorRows {
  /** Rows whose text in a column is one of these, whatever its case, in the order of their keys. */
  withText(
    table: RecordTable,
    column: string,
    texts: readonly string[],
  ): Promise<readonly { readonly id: string; readonly row: Row }[]>;
  insert(
    table: RecordTable,
    patch: RowPatch,
    origin: EventId,
  ): Promise<{ readonly id: string; readonly row: Row }>;
  /** Lets no other transaction past this name until this one ends. */
  waitFor(name: string): Promise<void>;
}

/** The columns of the references with the keys of the rows that stand for their actors. */
export async function resolveActors(
  rows: ActorRows,
  identities: IdentitySettings | undefined,
  integration: string,
  references: readonly ActorReference[],
  origin: EventId,
): Promise<RowPatch> {
  const actors = new Map<string, Actor>();
  for (const { actor } of references) {
    if (actor !== null) actors.set(actor.login.toLowerCase(), actor);
  }
  if (actors.size === 0) return patchOf(references, new Map());

  const source = identitySource(identities, integration, references);
  const keys = await findKeys(rows, source, [...actors.values()]);
  const unknown = [...actors.values()].filter((actor) => !keys.has(actor.login.toLowerCase()));
  if (unknown.length > 0) {
    for (const [login, key] of await meetUnknown(rows, source, unknown, origin)) {
      keys.set(login, key);
    }
  }
  return patchOf(references, keys);
}

interface IdentitySource {
  readonly settings: IdentitySettings;
  readonly table: RecordTable;
  readonly loginColumn: string;
}

/** Keys by login in lower case. */
type Keys = Map<string, string>;

function identitySource(
  settings: IdentitySettings | undefined,
  integration: string,
  references: readonly ActorReference[],
): IdentitySource {
  const loginColumn = settings?.login[integration];
  if (settings === undefined || loginColumn === undefined) {
    throw new RecordWriteError({
      code: "identities_missing",
      message: `nothing says which row stands for a user of ${integration}`,
      hint: `Set identities.login.${integration} in the configuration.`,
    });
  }
  const other = references.find((reference) => reference.table !== settings.table);
  if (other !== undefined) {
    throw new RecordWriteError({
      code: "identities_missing",
      message: `${other.column} refers to ${other.table}, but identities are in ${settings.table}`,
      hint: "Refer to the table of the identities.",
      column: other.column,
    });
  }
  return { settings, table: { name: settings.table, key: settings.key }, loginColumn };
}

async function findKeys(
  rows: ActorRows,
  { table, loginColumn }: IdentitySource,
  actors: readonly Actor[],
): Promise<Keys> {
  const found = await rows.withText(
    table,
    loginColumn,
    actors.map((actor) => actor.login),
  );
  const matches = new Map<string, readonly string[]>();
  for (const { id, row } of found) {
    const login = String(row[loginColumn]).toLowerCase();
    matches.set(login, [...(matches.get(login) ?? []), id]);
  }
  const keys: Keys = new Map();
  for (const [login, ids] of matches) {
    const [only] = ids;
    if (only === undefined || ids.length > 1) throw ambiguous(login, ids, table, loginColumn);
    keys.set(login, only);
  }
  return keys;
}

/** Logins of a service differ in more than case, while an app's column may hold both spellings. */
function ambiguous(
  login: string,
  ids: readonly string[],
  table: RecordTable,
  column: string,
): RecordWriteError {
  const rows = ids.map((id) => `${table.name} ${id}`);
  const all = [rows.slice(0, -1).join(", "), rows.at(-1)].join(" and ");
  return new RecordWriteError({
    code: "ambiguous_actor",
    message: `${all} ${ids.length > 2 ? "all" : "both"} have the login ${login}`,
    hint: `Leave ${column} to one of them, then restart the event.`,
    table: table.name,
    column,
  });
}

async function meetUnknown(
  rows: ActorRows,
  source: IdentitySource,
  unknown: readonly Actor[],
  origin: EventId,
): Promise<Keys> {
  const { settings, table, loginColumn } = source;
  switch (settings.unknown) {
    case "null":
      return new Map();
    case "error":
      throw new RecordWriteError({
        code: "unknown_actor",
        message: `no row of ${table.name} has the login ${unknown.map(({ login }) => login).join(", ")}`,
        hint: `Give a row of ${table.name} the login, then restart the event.`,
        table: table.name,
        column: loginColumn,
      });
    case "placeholder": {
      // Whoever waited for the lock finds the row that the other made; both lock in one order.
      const inOrder = [...unknown].sort((a, b) => (lower(a) < lower(b) ? -1 : 1));
      for (const actor of inOrder) {
        await rows.waitFor(`tandem actor ${table.name} ${loginColumn} ${lower(actor)}`);
      }
      const keys = await findKeys(rows, source, inOrder);
      for (const actor of inOrder) {
        if (keys.has(lower(actor))) continue;
        const row = { [loginColumn]: actor.login, ...settings.placeholder(actor) };
        keys.set(lower(actor), (await rows.insert(table, row, origin)).id);
      }
      return keys;
    }
  }
}

function patchOf(references: readonly ActorReference[], keys: Keys): RowPatch {
  return Object.fromEntries(
    references.map(({ column, actor }) => [
      column,
      actor === null ? null : (keys.get(lower(actor)) ?? null),
    ]),
  );
}

function lower(actor: Actor): string {
  return actor.login.toLowerCase();
}
