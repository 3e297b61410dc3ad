/**
 * Watches every decision as it is committed. Events must change state legally, and none may vanish or return.
 * One event of a lane is processed at a time. No work may write to a lane under a lost claim. The watch also
 * records which webhooks were stored.
 *
 * The legal moves are written down here a second time, from the design, because they judge the engine's own.
 */
import { isDeepStrictEqual } from "node:util";
import type { Claim } from "../../../engine/lane/index.ts";
import type { EventState, TandemEvent } from "../../../model/event.ts";
import type { Lane } from "../../../model/lane.ts";
import type { Claimed } from "../../../runtime/services/index.ts";
import type { Decided, RecordStore, Store, StoreTransaction } from "../../../store/store.ts";

const BIRTHS: readonly EventState[] = ["queued", "ignored", "duplicate", "disabled"];
const MOVES: Readonly<Record<EventState, readonly EventState[]>> = {
  queued: ["processing", "canceled", "disabled"],
  processing: ["completed", "ignored", "duplicate", "queued", "errored"],
  errored: ["queued", "ignored", "duplicate", "canceled"],
  disabled: ["queued", "canceled"],
  completed: [],
  ignored: [],
  duplicate: [],
  canceled: [],
};

export class LedgerWatch {
  /** Illegal changes of state, in words. */
  readonly illegal: string[] = [];
  /** Lanes with two events in processing. */
  readonly concurrent: string[] = [];
  /** Writes under a lost claim, which the store should have refused. */
  readonly trespasses: string[] = [];
  /** The keys of the stored webhooks. */
  readonly received = new Set<string>();
  readonly #states = new Map<string, EventState>();
  /** How often each event was claimed. */
  readonly #claims = new Map<string, number>();

  /** The same store, watched. */
  watch(store: Store): Store {
    return {
      ...store,
      transaction: async (work, beginning) => {
        let decided: Decided[] = [];
        let added: string[] = [];
        const result = await store.transaction((tx, seen) => {
          decided = [];
          added = [];
          const watched: StoreTransaction = {
            ...tx,
            pendingDeliveries: {
              ...tx.pendingDeliveries,
              add: async (deliveries) => {
                await tx.pendingDeliveries.add(deliveries);
                added.push(...deliveries.map(({ deliveryKey }) => deliveryKey));
              },
            },
            saveLanes: async (saved) => {
              await tx.saveLanes(saved);
              decided.push(...saved);
            },
          };
          return work(watched, seen);
        }, beginning);
        for (const each of decided) this.#note(each);
        for (const key of added) this.received.add(key);
        return result;
      },
      deliveries: {
        ...store.deliveries,
        receive: async (deliveries) => {
          const stored = await store.deliveries.receive(deliveries);
          for (const { deliveryKey } of deliveries) this.received.add(deliveryKey);
          return stored;
        },
      },
    };
  }

  /**
   * The store for work under a claim. It does not use the engine's definition of a lost claim: here a claim is
   * lost when its event is no longer processed, or was claimed again.
   */
  underClaim(store: Store, { name, lane: own, claim }: Claimed & { readonly name: string }): Store {
    const count = this.#claimOf(claim.event);
    const isLost = () => count === null || this.#claimOf(claim.event) !== count;
    const changed = ({ before, after }: Decided) => {
      const [was, is] = [before, after.lane].map((lane) => JSON.stringify(lane));
      return was === is ? [] : [`from ${was ?? ""} to ${is ?? ""}`];
    };
    return {
      ...store,
      transaction: async (work, beginning) => {
        let found: string[] = [];
        const result = await store.transaction((tx, seen) => {
          found = [];
          const watched: StoreTransaction = {
            ...tx,
            saveLanes: async (saved) => {
              const ours = saved.filter(({ before }) => before.id === own);
              if (isLost())
                found.push(...ours.filter((one) => !forgets(one, claim)).flatMap(changed));
              await tx.saveLanes(saved);
            },
            removeLane: async (id) => {
              if (isLost() && id === own) found.push("away");
              await tx.removeLane(id);
            },
            records: noting(tx.records, (row) => {
              if (isLost()) found.push(`and ${row}`);
            }),
          };
          return work(watched, seen);
        }, beginning);
        for (const what of found) {
          this.trespasses.push(`${name} wrote after its claim had passed on: lane ${own} ${what}`);
        }
        return result;
      },
    };
  }

  /** The number of an event's latest claim; `null` if no worker processes it. */
  #claimOf(event: string): number | null {
    return this.#states.get(event) === "processing" ? (this.#claims.get(event) ?? null) : null;
  }

  #note({ before, after }: Decided): void {
    const now = [...after.lane.live, ...after.ended];
    for (const event of now) this.#noteState(event);
    for (const { id, state } of before.live) {
      if (!now.some((event) => event.id === id)) this.illegal.push(`${id} vanished, ${state}`);
    }
    const active = after.lane.live.filter(({ state }) => state === "processing");
    if (active.length > 1) {
      this.concurrent.push(`lane ${before.id}: ${active.map(({ id }) => id).join(", ")}`);
    }
  }

  #noteState({ id, state, direction, reason, canceledBy, startedAt }: TandemEvent): void {
    const was = this.#states.get(id);
    this.#states.set(id, state);
    if (state === "processing" && was !== state) {
      this.#claims.set(id, (this.#claims.get(id) ?? 0) + 1);
    }
    if (was === state && MOVES[state].length > 0) return;
    const next = was === undefined ? BIRTHS : MOVES[was];
    if (next.includes(state)) return;
    // One decision may queue an event and cancel it again for a newer one, which it names.
    if (next.includes("queued") && state === "canceled" && canceledBy !== null) return;
    // A move may requeue an event in another connection and disable it there, in one decision.
    if (next.includes("queued") && state === "disabled") return;
    // One transaction may start and end an event, so that its processing is never visible.
    const mayBegin = was === "queued" || next.includes("queued");
    if (mayBegin && startedAt !== null && MOVES.processing.includes(state)) return;
    this.illegal.push(`${direction} ${id}: ${was ?? "born"} to ${state} (${reason})`);
  }
}

/** The same rows of the app; `told` is called before each write. */
function noting(records: RecordStore, told: (row: string) => void): RecordStore {
  return {
    ...records,
    insert: (mapping, patch, origin) => {
      told(`a new one of ${mapping.recordType}`);
      return records.insert(mapping, patch, origin);
    },
    update: (mapping, id, patch, origin) => {
      told(`${mapping.recordType} ${id}`);
      return records.update(mapping, id, patch, origin);
    },
    delete: (mapping, id, origin) => {
      told(`${mapping.recordType} ${id}`);
      return records.delete(mapping, id, origin);
    },
  };
}

/**
 * The one write that is accepted after a lost claim: the worker's own create has failed, and is no longer
 * open. While it counted as open, a copy by its author could have been taken for its resource.
 */
function forgets({ before, after }: Decided, { event, epoch }: Claim): boolean {
  const sentUnder = ({ attempt, unanswered }: Lane) =>
    [attempt, ...unanswered].find((one) => one?.event === event && one.epoch === epoch);
  const { attempt, unanswered, intent } = after.lane;
  return (
    sentUnder(before)?.kind === "create" &&
    sentUnder(after.lane) === undefined &&
    after.ended.length === 0 &&
    isDeepStrictEqual(
      { ...after.lane, attempt, unanswered, intent },
      { ...before, attempt, unanswered, intent },
    )
  );
}
