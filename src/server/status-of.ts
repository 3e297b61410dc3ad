/** A record's standing in one word, for a badge in the app's own pages. */
import { type Conflict, type EventError, REASONS, type Reason } from "../model/event.ts";
import { webAddress } from "../model/web-address.ts";
import type { Store } from "../store/store.ts";
import type { Standing } from "../store/ledger.ts";

export interface Counterpart {
  readonly integration: string;
  /** The resource's type: `issue`. */
  readonly type: string;
  readonly externalId: string;
  /** Its page, where the integration has one. */
  readonly url: string | null;
}

export interface RecordStatus {
  /**
   * The most pressing of: `errored`, an event failed for good; `disabled`, a connection or pairing
   * is switched off and something waits; `syncing`, a worker is on it, or a request's outcome is
   * unknown; `pending`, something waits for its turn; `canceled`, somebody canceled its last event and
   * the sides may differ until the next edit; `unpaired`, it has no counterpart; `in_sync`.
   */
  readonly state:
    "errored" | "disabled" | "syncing" | "pending" | "canceled" | "unpaired" | "in_sync";
  readonly counterparts: readonly Counterpart[];
  /** Why the event that decided the state is where it is. */
  readonly reason: Reason | null;
  /** The same in a sentence. */
  readonly because: string;
  /** With its hint: what to do about it. */
  readonly error: EventError | null;
  /** What was lost to the other side of late, newest first. */
  readonly conflicts: readonly (Conflict & { readonly event: string; readonly at: string })[];
}

type Waiting = Standing["live"][number];

/** The order in which states press. */
const PRESSING = [
  ["errored", "errored"],
  ["disabled", "disabled"],
  ["processing", "syncing"],
  ["queued", "pending"],
] as const;

/** Asks once for all; an id that nobody knows is unpaired. */
export async function statusOf(
  store: Store,
  recordType: string,
  ids: readonly (string | number | bigint)[],
): Promise<Readonly<Record<string, RecordStatus>>> {
  const asked = [...new Set(ids.map(String))];
  if (asked.length === 0) return {};
  const { pairings, undrained } = await store.ledger.standings(recordType, asked);
  return Object.fromEntries(
    asked.map((id) => {
      const own = pairings.filter(({ recordId }) => recordId === id);
      return [id, statusOfRecord(own, undrained.has(id))];
    }),
  );
}

function statusOfRecord(standings: readonly Standing[], undrained: boolean): RecordStatus {
  const conflicts = standings
    .flatMap((standing) => standing.conflicts)
    .sort((a, b) => (a.event > b.event ? -1 : 1));
  const counterparts = standings.flatMap((standing): Counterpart[] => {
    const { integration, resourceType: type, externalId, url, tombstoned } = standing;
    return externalId === null || tombstoned
      ? []
      : [{ integration, type, externalId, url: webAddress(url ?? undefined) }];
  });
  const waiting = standings.flatMap(({ live }) => live);
  for (const [eventState, state] of PRESSING) {
    const event = waiting.find((candidate) => candidate.state === eventState);
    if (event !== undefined) return { ...described(event), state, counterparts, conflicts };
  }
  const calm = { reason: null, error: null, counterparts, conflicts };
  if (standings.some(({ unknownOutcome }) => unknownOutcome)) {
    return { ...calm, state: "syncing", because: "A request was sent and its outcome is unknown." };
  }
  if (undrained) return { ...calm, state: "pending", because: "It was changed a moment ago." };
  if (standings.some(({ lastReason }) => lastReason === "canceled_by_hand")) {
    const reason = "canceled_by_hand";
    return { ...calm, state: "canceled", reason, because: REASONS[reason] };
  }
  if (counterparts.length === 0) {
    return { ...calm, state: "unpaired", because: "It has no counterpart." };
  }
  return { ...calm, state: "in_sync", because: "Both sides agree." };
}

function described({ reason, error, state }: Waiting) {
  return { reason, because: REASONS[reason], error: state === "errored" ? error : null };
}
