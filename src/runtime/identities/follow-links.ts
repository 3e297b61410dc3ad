/**
 * Placeholders that are linked to users later: their records become the user's.
 *
 * 1. The drain sees that a user got a login (`followUsers`), and notes a link.
 * 2. The link first assigns the author to the user (`connect`): records that arrive later name the user, and earlier
 *    ones can be found by the placeholder.
 * 3. Then the records that name the placeholder take the user, a few at a time and under Tandem's mark, so that
 *    nothing is sent. The loop never waits for a lock: it returns later to a row that the app has locked.
 *
 * The placeholder's row stays, because it belongs to the app's table.
 */
import { nextRunAt } from "../../engine/lane/index.ts";
import { eventOfEntry, type JournalEntry } from "../../model/event.ts";
import { addMillis } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";
import { RecordWriteError } from "../../store/rules/index.ts";
import type { CapturedChange, Link, StoreTransaction } from "../../store/store.ts";
import { keyText, recordWriter } from "../records/index.ts";
import { HookError, NO_HOOKS, ValidationError } from "../settings/index.ts";
import { messageOf } from "../failures/index.ts";
import type { Services } from "../services/index.ts";

const BATCH = 100;
const LEASE_MS = 60_000;
/** The delay before a locked row is tried again. */
const BUSY_MS = 1_000;

/** Notes the links that follow from writes to the app's users. */
export async function followUsers(
  tx: StoreTransaction,
  changes: readonly CapturedChange[],
  { identities }: Pick<Services, "identities">,
): Promise<void> {
  if (identities === null) return;
  const logins = Object.values(identities.login);
  const written = changes.filter(
    ({ recordType, operation, columns }) =>
      recordType === identities.table &&
      operation !== "delete" &&
      columns.some((column) => logins.includes(column)),
  );
  if (written.length === 0) return;
  const ids = [...new Set(written.map(({ recordId }) => recordId))];
  await tx.links.add(await tx.links.find(ids));
}

/** Carries out one link as far as possible now; returns `false` if there is none. */
export async function followLink(services: Services): Promise<boolean> {
  if (services.identities === null) return false;
  const link = await services.store.transaction((tx) =>
    tx.links.claim(addMillis(tx.now, LEASE_MS)),
  );
  if (link === null) return false;
  if (!link.connected && !(await connect(services, link))) return true;
  const left: Left = { busy: 0, refused: 0 };
  for (const { mapping, column } of references(services)) {
    await moveAll(services, link, mapping, column, left);
  }
  await services.store.transaction((tx) => {
    if (left.busy > 0) return tx.links.again(link.id, addMillis(tx.now, BUSY_MS));
    if (left.refused === 0) return tx.links.done(link.id);
    return tx.links.again(link.id, nextRunAt(tx.now, link.attempts, services.random()));
  });
  return true;
}

/** Records that could not take the user now. */
interface Left {
  busy: number;
  refused: number;
}

async function connect(services: Services, link: Link): Promise<boolean> {
  return services.store.transaction(async (tx) => {
    const result = await tx.links.connect(link, services.newEventId(tx.now));
    if (result === "outlived") await tx.links.done(link.id);
    if (result === "busy") await tx.links.again(link.id, addMillis(tx.now, BUSY_MS));
    return result === "connected";
  });
}

/** The columns that name users, each with the mapping whose hooks write its table. */
function references({ mappings, identities }: Services) {
  const found = new Map<string, { readonly mapping: Mapping; readonly column: string }>();
  for (const mapping of mappings) {
    for (const { column, references: table } of mapping.fields) {
      const key = `${mapping.recordType}\n${column}`;
      if (table === identities?.table && !found.has(key)) found.set(key, { mapping, column });
    }
  }
  return found.values();
}

async function moveAll(
  services: Services,
  link: Link,
  mapping: Mapping,
  column: string,
  left: Left,
): Promise<void> {
  const { apply, derive } = services.hooks.get(mapping) ?? NO_HOOKS;
  // The app's own code may be slow, so only one row is locked at a time: its other writers must not wait for many.
  const limit = apply === null && derive === null ? BATCH : 1;
  let after: string | null = null;
  for (;;) {
    const seen: string | null = after;
    const ids: readonly string[] = await services.store.transaction(async (tx) => {
      await tx.links.again(link.id, addMillis(tx.now, LEASE_MS));
      const { placeholderId } = link;
      const found = await tx.records.referring(mapping, column, placeholderId, seen, limit);
      for (const id of found) await moveOne(services, tx, link, mapping, column, id, left);
      return found;
    });
    after = ids.at(-1) ?? null;
    if (ids.length < limit) return;
  }
}

/** Replaces the placeholder of one record. A refusal by the table or the app must not delay other records. */
async function moveOne(
  services: Services,
  tx: StoreTransaction,
  link: Link,
  mapping: Mapping,
  column: string,
  id: string,
  left: Left,
): Promise<void> {
  const locked = await tx.records.lock(mapping, id);
  if (locked.status === "busy") left.busy += 1;
  if (!("row" in locked)) return;
  if (keyText(locked.row[column])[0] !== link.placeholderId) return;
  const entry: JournalEntry = {
    id: services.newEventId(tx.now),
    direction: "inbound",
    reason: "author_linked",
    action: "upsert",
    recordType: mapping.recordType,
    recordId: id,
    changes: [{ side: "record", field: column, from: link.placeholderId, to: link.userId }],
    writtenAt: tx.now,
    endedAt: tx.now,
  };
  const hooks = services.hooks.get(mapping) ?? NO_HOOKS;
  const writer = recordWriter(tx, mapping, hooks, eventOfEntry(entry), services.clock);
  try {
    await tx.records.lend(entry.id, () => writer.update(id, locked.row, { [column]: link.userId }));
  } catch (thrown) {
    if (!isRefusal(thrown)) throw thrown;
    left.refused += 1;
    services.log.warn(
      { record: `${mapping.recordType} ${id}`, user: link.userId, error: messageOf(thrown) },
      "a placeholder's record could not be given to its user; it is tried again",
    );
    return;
  }
  await tx.appendJournal([entry]);
}

function isRefusal(thrown: unknown): boolean {
  return (
    thrown instanceof RecordWriteError ||
    thrown instanceof ValidationError ||
    thrown instanceof HookError
  );
}
