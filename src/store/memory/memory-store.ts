/** The store in memory: what a transaction offers, and when one is run again. */
import { addMillis, laterOf, MILLISECOND } from "../../model/instant.ts";
import type { Mapping } from "../../model/mapping.ts";
import { nothingSeen } from "../beginning.ts";
import {
  AbortedTransactionError,
  mappingDigest,
  mayPass,
  schemaMismatchOf,
  sqlState,
} from "../database/index.ts";
import { RecordWriteError, resourceRelations } from "../rules/index.ts";
import type { Beginning, IdentitySettings, Store, StoreTransaction } from "../store.ts";
import { memoryAudit, memorySessions } from "./access.ts";
import { memoryAfterCommits } from "./after-commits.ts";
import { memoryBackfills } from "./backfills.ts";
import { memoryDeliveries, memoryPendingDeliveries } from "./deliveries.ts";
import { memoryDirectory, lookedUp } from "./directory.ts";
import { memoryHeldRuns } from "./held-runs.ts";
import {
  appendJournalInMemory,
  findLanesInMemory,
  laneKeys,
  laneLocks,
  memoryLedger,
  reserveLanesInMemory,
  saveLanesInMemory,
  wakeAwaitingIntent,
  wakeAwaitingPairing,
  wakeChildren,
} from "./lanes/index.ts";
import { memoryLinks } from "./links.ts";
import { MemoryDatabase } from "./memory-database.ts";
import { actorRows, capturedOf, memoryRecords, withEdit } from "./records.ts";
import { memoryRedeliveries } from "./redeliveries.ts";
import { memoryRefusals } from "./refusals.ts";
import type { MemoryState } from "./tables/index.ts";

export interface MemoryStoreOptions {
  /** What is mapped; `migrate` replaces it. */
  readonly mappings?: readonly Mapping[];
  readonly identities?: IdentitySettings;
}

const ATTEMPTS = 5;

/** Opens a store on a memory database; several may be open on one. */
export function memoryStore(database: MemoryDatabase, options: MemoryStoreOptions): Store {
  const state = MemoryDatabase.stateOf(database);
  let relations = resourceRelations(options.mappings ?? []);
  let mapping = options.mappings === undefined ? null : mappingDigest(options.mappings);

  const begin = (steps: Steps): StoreTransaction => {
    const now = state.now();
    const held: laneLocks.MemoryHeldLanes = new Map();
    const step = <T>(work: () => T) => steps.take(work);
    const rows = actorRows(state, step);
    return {
      now,
      ensureLanes: (keys) => step(() => laneKeys.ensureLanesInMemory(state, keys)),
      reserveLanes: (keys) => step(() => reserveLanesInMemory(state, held, keys)),
      findLanes: (query) => step(() => findLanesInMemory(state, query)),
      countPairedLanes: (connection) =>
        step(() => laneKeys.countPairedLanesInMemory(state, connection)),
      // One transaction at a time: nobody holds any.
      holdPlace: () => step(() => undefined),
      lockLanes: (ids) => step(() => laneLocks.lockLanesInMemory(state, held, ids)),
      lockDueLanes: (limit, leftOut = []) =>
        step(() => laneLocks.lockDueLanesInMemory(state, held, now, limit, leftOut)),
      lockExpiredLanes: (limit) =>
        step(() => laneLocks.lockExpiredLanesInMemory(state, held, now, limit)),
      lockLanesInState: (connection, eventState, limit, after) =>
        step(() =>
          laneLocks.lockLanesInStateInMemory(
            state,
            held,
            connection,
            eventState,
            limit,
            after ?? null,
          ),
        ),
      saveLanes: (decided) =>
        step(() => {
          saveLanesInMemory(state, held, relations, decided);
        }),
      removeLane: (id) =>
        step(() => {
          state.lanes.delete(id);
        }),
      wakeChildren: (parents) =>
        step(() => {
          for (const parent of parents) wakeChildren(state, parent);
        }),
      wakeAwaitingIntent: (connection, resourceType) =>
        step(() => {
          wakeAwaitingIntent(state, connection, resourceType);
        }),
      wakeAwaitingPairing: (connection, resourceType) =>
        step(() => {
          wakeAwaitingPairing(state, connection, resourceType);
        }),
      appendJournal: (entries) =>
        step(() => {
          appendJournalInMemory(state, entries);
        }),
      directory: lookedUp(state, step),
      records: {
        ...memoryRecords(state, rows, options.identities, step),
        attempt: (work) => steps.attempt(state, work),
      },
      changes: {
        take: (limit) =>
          step(() => state.changes.take(limit).map((change) => withEdit(state, change))),
        peek: (recordType, recordIds) => step(() => capturedOf(state, recordType, recordIds)),
        oldest: () => step(() => state.changes.first(1)[0]?.changedAt ?? null),
        // Tables in memory are emptied row by row.
        takeTruncated: () => step(() => []),
        note: (changes) =>
          step(() => {
            const given = {
              operation: "update",
              changedAt: now,
              oldRow: null,
              journal: null,
            } as const;
            for (const change of changes) state.changes.append({ ...given, ...change });
          }),
      },
      pendingDeliveries: memoryPendingDeliveries(state, now, step),
      afterCommits: memoryAfterCommits(state, step),
      links: memoryLinks(state, rows, options.identities, step),
      backfills: memoryBackfills(state, now, step),
      sessions: memorySessions(state, step),
      audit: memoryAudit(state, step),
    };
  };

  const attempt = <T, Seen>(
    work: (tx: StoreTransaction, seen: Seen) => Promise<T>,
    look: Beginning<Seen>["look"],
  ): Promise<T> =>
    state.transaction(async () => {
      const steps = new Steps();
      try {
        const tx = begin(steps);
        const result = await work(tx, await look(tx));
        if (steps.failed) throw new AbortedTransactionError();
        return result;
      } finally {
        steps.end();
      }
    });

  return {
    kind: "memory",
    migrate: (mappings, journals = []) =>
      state.transaction(() => {
        state.capture(mappings, journals, options.identities);
        relations = resourceRelations(mappings);
        mapping = mappingDigest(mappings);
        state.mapping = mapping;
      }),
    // It has one schema, that of the code.
    schemaMismatch: async () =>
      schemaMismatchOf({ version: 0, needs: 0, mapping: state.mapping }, 0, mapping),
    async transaction(work, { look } = { look: nothingSeen }) {
      for (let count = 1; ; count += 1) {
        try {
          return await attempt(work, look);
        } catch (error) {
          if (count === ATTEMPTS || !mayPass(error)) throw error;
        }
      }
    },
    deliveries: memoryDeliveries(state),
    directory: memoryDirectory(state),
    heldRuns: memoryHeldRuns(state),
    redeliveries: memoryRedeliveries(state),
    instance: {
      // A database in memory is where it was made, and nowhere else.
      read: () => state.transaction(() => ({ stored: state.instance, place: "memory" })),
      adopt: (instance) =>
        state.transaction(() => {
          state.instance = { ...instance, adoptedAt: state.now(), setBack: null };
        }),
      beat: (host, seen) =>
        state.transaction(() => {
          const before = state.beats.get(host);
          if (seen !== null && (before === undefined || before < seen)) return null;
          const at = laterOf(
            before === undefined ? null : addMillis(before, 1 / MILLISECOND),
            state.now(),
          );
          if (at !== null) state.beats.set(host, at);
          return at;
        }),
      noteSetBack: (setBack, seen) =>
        state.transaction(() => {
          const known = state.instance ?? { name: null, place: null, adoptedAt: state.now() };
          if (state.instance !== null && known.adoptedAt > seen) return;
          state.instance = { ...known, setBack };
        }),
      // It has no replica.
      noticed: () => ({ doubts: 0, failovers: 0 }),
    },
    ledger: memoryLedger(state, () => relations),
    sessions: memorySessions(state, (work) => state.transaction(work)),
    audit: memoryAudit(state, (work) => state.transaction(work)),
    refusals: memoryRefusals(state, (work) => state.transaction(work)),
    async onWork(heard) {
      state.workListeners.add(heard);
      return async () => {
        state.workListeners.delete(heard);
      };
    },
    close: () => Promise.resolve(),
  };
}

/**
 * The steps of one transaction. As in Postgres, one that a constraint refused leaves it nothing
 * but to be rolled back, and none is taken after its end.
 */
class Steps {
  failed = false;
  #ended = false;

  async take<T>(work: () => T): Promise<T> {
    if (this.#ended) throw new Error("the transaction has ended");
    if (this.failed) throw new AbortedTransactionError();
    try {
      return work();
    } catch (error) {
      this.failed =
        error instanceof RecordWriteError ? error.sqlState !== null : sqlState(error) !== null;
      throw error;
    }
  }

  async attempt<T>({ undoLog }: MemoryState, work: () => Promise<T>): Promise<T> {
    const rollBack = undoLog.savepoint();
    try {
      return await work();
    } catch (error) {
      rollBack();
      this.failed = false;
      throw error;
    }
  }

  end(): void {
    this.#ended = true;
  }
}
