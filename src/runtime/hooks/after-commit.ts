/**
 * The hooks that run after a commit, each at least once, and those of one record in order. The transaction that wrote
 * the record notes the hook, so the note survives the process. A failing hook delays the later ones of its record, and
 * no others.
 */
import { nextRunAt } from "../../engine/lane/index.ts";
import { addMillis } from "../../model/instant.ts";
import type { AfterCommitMark } from "../../store/store.ts";
import { inTime, type Services } from "../services/index.ts";
import { mappingOfResource } from "../settings/index.ts";
import { messageOf } from "../failures/index.ts";

const BATCH = 16;
/** How long a hook may take ... */
const PATIENCE_MS = 45_000;
/** ... before another worker takes it over. */
const LEASE_MS = 60_000;

/** Whether any mapping has such a hook. Otherwise nothing is ever noted, and no query is needed. */
export function hasAfterCommits({ hooks }: Services): boolean {
  return [...hooks.values()].some((each) => each.afterCommit !== null);
}

/** Runs the due hooks; returns how many were tried. */
export async function runAfterCommits(services: Services, signal: AbortSignal): Promise<number> {
  if (!hasAfterCommits(services)) return 0;
  const due = await services.store.transaction((tx) =>
    tx.afterCommits.claim(BATCH, addMillis(tx.now, LEASE_MS)),
  );
  // The hooks are of different records, so all run concurrently: none waits until its lease expires.
  await Promise.all(due.map((mark) => runOne(services, mark, signal)));
  return due.length;
}

async function runOne(
  services: Services,
  mark: AfterCommitMark,
  signal: AbortSignal,
): Promise<void> {
  try {
    await inTime(services.clock, PATIENCE_MS, callHook(services, mark));
  } catch (thrown) {
    if (signal.aborted) return;
    services.log.warn(
      {
        record: `${mark.recordType} ${mark.recordId}`,
        event: mark.event,
        attempts: mark.attempts,
        error: messageOf(thrown),
      },
      "an afterCommit hook failed; it is run again",
    );
    const chance = services.random();
    await services.store.transaction((tx) =>
      tx.afterCommits.again(mark.id, nextRunAt(tx.now, mark.attempts, chance)),
    );
    return;
  }
  // A killed worker must not write anything more; the hook's lease expires.
  if (signal.aborted) return;
  await services.store.transaction((tx) => tx.afterCommits.done(mark.id));
}

async function callHook(services: Services, mark: AfterCommitMark): Promise<void> {
  const mapping = mappingOfResource(services, mark.integration, mark.resourceType);
  const hook = mapping === null ? undefined : services.hooks.get(mapping)?.afterCommit;
  if (mapping === null || hook == null) return;
  const [event] = await services.store.ledger.events({ id: mark.event, limit: 1 });
  if (event === undefined) return;
  const { op, recordId: id } = mark;
  const row = op === "delete" ? mark.row : await readRow();
  await hook({ op, id, row, event });

  async function readRow() {
    if (mapping === null) return null;
    const rows = await services.store.transaction((tx) => tx.records.read(mapping, [id]));
    return rows.get(id) ?? null;
  }
}
