/**
 * From actors at an integration to the keys of the app's users, and from a user whom somebody has
 * given a login to the placeholder that stood for them until then.
 */
import type { Actor } from "../../model/content.ts";
import type { EventId } from "../../model/ids.ts";
import type { ActorReference, Row, RowPatch } from "../../model/mapping.ts";
import {
  loginOf,
  type Placeholder,
  type StandIn,
  standInFor,
  type UserRow,
  writtenOf,
} from "../../model/placeholder.ts";
import { RecordWriteError } from "./record-write-error.ts";
import type { IdentitySettings, Link, LinkStore } from "../store.ts";

/** A table with its key column. */
export interface RecordTable {
  readonly name: string;
  readonly key: string;
}

/** The operations that a store must offer on the rows that stand for actors. */
export interface ActorRows {
  read(table: RecordTable, ids: readonly string[]): Promise<ReadonlyMap<string, Row>>;
  /** Rows whose text in a column is one of these, whatever its case, in the order of their keys. */
  withText(
    table: RecordTable,
    column: string,
    texts: readonly string[],
  ): Promise<readonly UserRow[]>;
  insert(table: RecordTable, patch: RowPatch, origin: EventId): Promise<UserRow>;
  /** Clears a column if the table allows it; nothing is waited for. */
  clear(
    table: RecordTable,
    id: string,
    column: string,
    origin: EventId,
  ): Promise<"cleared" | "refused" | "busy">;
  /** Lets no other transaction past this name until this one ends. */
  waitFor(name: string): Promise<void>;
  /** Adds a captured write that nobody made. */
  note(table: RecordTable, id: string, column: string, origin: EventId): Promise<void>;
  readonly placeholders: PlaceholderRows;
}

/** The rows that Tandem made itself, as it remembers them. */
export interface PlaceholderRows {
  /**
   * Those made for these logins, in the order of their keys. Until the transaction ends, `hold`
   * lets nobody link them, and `change` nobody hold them either.
   */
  of(
    table: RecordTable,
    integration: string,
    logins: readonly string[],
    lock: "none" | "hold" | "change",
  ): Promise<readonly Placeholder[]>;
  add(table: RecordTable, placeholder: Placeholder, origin: EventId): Promise<void>;
  link(table: RecordTable, recordId: string, userId: string): Promise<void>;
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
  const keys = await findKeys(rows, source, [...actors.values()], origin);
  const unknown = [...actors.values()].filter((actor) => !keys.has(actor.login.toLowerCase()));
  if (unknown.length > 0) {
    for (const [login, key] of await meetUnknown(rows, source, unknown, origin)) {
      keys.set(login, key);
    }
  }
  return patchOf(references, keys);
}

/** A row of the table of the identities. */
export async function findUser(
  rows: Pick<ActorRows, "read">,
  identities: IdentitySettings | undefined,
  id: string,
): Promise<Row | null> {
  if (identities === undefined) return null;
  return (await rows.read(tableOf(identities), [id])).get(id) ?? null;
}

interface IdentitySource {
  readonly settings: IdentitySettings;
  readonly integration: string;
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
  return { settings, integration, table: tableOf(settings), loginColumn };
}

/**
 * Placeholders are held before the users are read: one that is linked meanwhile is waited for, and
 * then it is the user who has the login.
 */
async function findKeys(
  rows: ActorRows,
  { table, integration, loginColumn }: IdentitySource,
  actors: readonly Actor[],
  origin: EventId,
): Promise<Keys> {
  const logins = actors.map(lower);
  const placeholders = await rows.placeholders.of(table, integration, logins, "hold");
  const users = await rows.withText(table, loginColumn, logins);
  const keys: Keys = new Map();
  for (const login of logins) {
    const standIn = standInFor(login, loginColumn, users, madeFor(login, placeholders));
    if (standIn.kind === "nobody") continue;
    if (standIn.kind === "several") throw ambiguous(login, standIn.ids, table, loginColumn);
    keys.set(login, standIn.id);
    // No trigger saw how the user came by the login, or the drain has not come to it yet.
    const unlinked = standIn.outlived.some(({ linkedTo }) => linkedTo !== standIn.id);
    if (unlinked) await rows.note(table, standIn.id, loginColumn, origin);
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
      // A transaction that waited for the lock finds the row that the other made; both lock in one order.
      const inOrder = [...unknown].sort((a, b) => (lower(a) < lower(b) ? -1 : 1));
      for (const actor of inOrder) {
        await rows.waitFor(`tandem actor ${table.name} ${loginColumn} ${lower(actor)}`);
      }
      const keys = await findKeys(rows, source, inOrder, origin);
      for (const actor of inOrder) {
        if (keys.has(lower(actor))) continue;
        keys.set(lower(actor), await makePlaceholder(rows, source, actor, origin));
      }
      return keys;
    }
  }
}

async function makePlaceholder(
  rows: ActorRows,
  { settings, table, integration, loginColumn }: IdentitySource,
  actor: Actor,
  origin: EventId,
): Promise<string> {
  const patch = { [loginColumn]: actor.login, ...settings.placeholder(actor) };
  const { id, row } = await rows.insert(table, patch, origin);
  const columns = Object.keys(patch).filter((column) => column !== loginColumn);
  const placeholder: Placeholder = {
    recordId: id,
    integration,
    login: lower(actor),
    written: writtenOf(row, columns),
    linkedTo: null,
  };
  await rows.placeholders.add(table, placeholder, origin);
  return id;
}

/** Finds the links that writes to users call for; see `LinkStore.find`. */
export async function findLinks(
  rows: ActorRows,
  settings: IdentitySettings,
  userIds: readonly string[],
): ReturnType<LinkStore["find"]> {
  const table = tableOf(settings);
  const written = [...(await rows.read(table, userIds)).values()];
  const links: Awaited<ReturnType<LinkStore["find"]>>[number][] = [];
  for (const [integration, loginColumn] of Object.entries(settings.login)) {
    const logins = [...new Set(written.flatMap((row) => loginOf(row, loginColumn) ?? []))];
    const source = { table, integration, loginColumn };
    for (const [login, standIn] of await standInsOf(rows, source, logins, "none")) {
      if (standIn.kind !== "user") continue;
      for (const { recordId } of standIn.outlived) {
        links.push({ integration, login, placeholderId: recordId, userId: standIn.id });
      }
    }
  }
  return links;
}

/** Gives an author to the user who has their login; see `LinkStore.connect`. */
export async function connectLink(
  rows: ActorRows,
  settings: IdentitySettings,
  { integration, login, placeholderId, userId }: Link,
  origin: EventId,
): ReturnType<LinkStore["connect"]> {
  const loginColumn = settings.login[integration];
  if (loginColumn === undefined) return "outlived";
  const table = tableOf(settings);
  const source = { table, integration, loginColumn };
  const standIn = (await standInsOf(rows, source, [login], "change")).get(login);
  if (standIn?.kind !== "user" || standIn.id !== userId) return "outlived";
  if (!standIn.outlived.some(({ recordId }) => recordId === placeholderId)) return "outlived";
  // Two rows with one login would be a riddle to the app, too.
  if ((await rows.clear(table, placeholderId, loginColumn, origin)) === "busy") return "busy";
  await rows.placeholders.link(table, placeholderId, userId);
  return "connected";
}

async function standInsOf(
  rows: ActorRows,
  {
    table,
    integration,
    loginColumn,
  }: Pick<IdentitySource, "table" | "integration" | "loginColumn">,
  logins: readonly string[],
  lock: "none" | "change",
): Promise<ReadonlyMap<string, StandIn>> {
  if (logins.length === 0) return new Map();
  const placeholders = await rows.placeholders.of(table, integration, logins, lock);
  if (placeholders.length === 0) return new Map();
  const users = new Map(
    (await rows.withText(table, loginColumn, logins)).map(({ id, row }) => [id, row]),
  );
  // A placeholder that has given its login up is one all the same.
  const made = placeholders.map(({ recordId }) => recordId);
  for (const [id, row] of await rows.read(table, made)) users.set(id, row);
  const all = [...users].map(([id, row]) => ({ id, row }));
  return new Map(
    logins.map((login) => [
      login,
      standInFor(login, loginColumn, all, madeFor(login, placeholders)),
    ]),
  );
}

function madeFor(login: string, placeholders: readonly Placeholder[]): readonly Placeholder[] {
  return placeholders.filter((placeholder) => placeholder.login === login);
}

function tableOf({ table, key }: IdentitySettings): RecordTable {
  return { name: table, key };
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
