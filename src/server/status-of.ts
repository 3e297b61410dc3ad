/** A record's state in one word, for a badge in the app's own pages. */
import { type Conflict, type EventError, REASONS, type Reason } from "../model/event.ts";
import { webAddress } from "../model/web-address.ts";
import type { Store } from "../store/store.ts";
import type { Standing } from "../store/ledger.ts";

export interface Counterpart {
  readonly integration: string;
  /** The resource's type: `issue`. */
  readonly type: string;
  readonly externalId: string;
  /** The address of its page, if the integration has one. */
  readonly url: string | null;
}

export interface RecordStatus {
  /**
   * The most urgent of: `errored`, an event failed permanently; `disabled`, a connection or pairing is
   * switched off and an event waits; `syncing`, a worker processes an event, or a request's outcome is
   * unknown; `pending`, an event is queued; `canceled`, a person canceled the last event and both sides
   * may differ until the next edit; `unpaired`, the record has no counterpart; `in_sync`.
   */
  readonly state:
    "errored" | "disabled" | "syncing" | "pending" | "canceled" | "unpaired" | "in_sync";
  readonly counterparts: readonly Counterpart[];
  /** The reason of the event that decided the state. */
  readonly reason: Reason | null;
  /** The reason in a sentence. */
  readonly because: string;
  /** The error of the event, with a hint for its remedy. */
  readonly error: EventError | null;
  /** Values that recently lost against the other side, newest first. */
  readonly conflicts: readonly (Conflict & { readonly event: string; readonly at: string })[];
}

type Waiting = Standing["live"][number];

/** The states by urgency. */
const PRESSING = [
  ["errored", "errored"],
  ["disabled", "disabled"],
  ["processing", "syncing"],
  ["queued", "pending"],
] as const;

/** One query for all ids; unknown ids are unpaired. */
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
