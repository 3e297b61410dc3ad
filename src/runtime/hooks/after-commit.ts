/**
 * The hooks that follow a commit, at least once each and those of one record in their order. What is
 * to be run was noted by the transaction that wrote the record, so it outlives the process that wrote
 * it. One that fails holds up the later ones of its record, and nobody else's.
 */
import { nextRunAt } from "../../engine/lane/index.ts";
import { addMillis } from "../../model/instant.ts";
import type { AfterCommitMark } from "../../store/store.ts";
import { inTime, mappingOfResource, messageOf, type Services } from "../services/index.ts";

const BATCH = 16;
/** How long a hook may take ... */
const PATIENCE_MS = 45_000;
/** ... before another worker believes that this one has died. */
const LEASE_MS = 60_000;

/** Whether any mapping has something to run; without, nothing is ever noted or looked for. */
export function hasAfterCommits({ hooks }: Services): boolean {
  return [...hooks.values()].some((each) => each.afterCommit !== null);
}

/** Runs what is due; returns how many hooks were tried. */
export async function runAfterCommits(services: Services, signal: AbortSignal): Promise<number> {
  if (!hasAfterCommits(services)) return 0;
  const due = await services.store.transaction((tx) =>
    tx.afterCommits.claim(BATCH, addMillis(tx.now, LEASE_MS)),
  );
  // They are of different records, so all run at once and none outlives its lease in waiting.
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
  // Killed: a crashed worker writes nothing more, and the lease passes the hook on.
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
