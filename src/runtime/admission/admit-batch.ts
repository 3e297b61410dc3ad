/**
 * Admission of a batch: find each arrival's lane, lock the lanes in the order of their ids, let the engine decide
 * one arrival after another, and save the decisions.
 */
import {
  admitSurplus,
  awaitIntents,
  type Identification,
  identify,
  type IntentKey,
  isByItsWriter,
  isUnseen,
  mayHaveLostToken,
  saidOf,
  withMade,
  writtenByUs,
} from "../../engine/creates/index.ts";
import type { Arrival } from "../../engine/lane/index.ts";
import { admitThenReclose } from "../../engine/processing/index.ts";
import type { EventState } from "../../model/event.ts";
import type { ConnectionId, DeliveryId, LaneId } from "../../model/ids.ts";
import { type Lane, resourceKey, type Transition } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import { allOf } from "../../store/database/index.ts";
import type { Decided, LaneKey, StoreTransaction } from "../../store/store.ts";
import { type Contact, type DirectorySnapshot, groupBy, type Services } from "../services/index.ts";
import { mappingOfResource } from "../settings/index.ts";
import { openIntents } from "./unmarked-creates.ts";

/** An arrival with the connection through which it came. */
export interface Incoming {
  readonly contact: Contact;
  readonly arrival: Arrival;
}

/** The outcome of a batch. */
export interface AdmissionSummary {
  readonly seen: number;
  /** The number of arrivals of resource types without a mapping. */
  readonly unmapped: number;
  /** The number of arrivals that showed nothing new and got no event. */
  readonly unchanged: number;
  readonly born: Readonly<Partial<Record<EventState, number>>>;
  /** Deliveries that were skipped because another transaction holds one of their lanes. */
  readonly left: ReadonlySet<DeliveryId>;
  /** Whether records were written whose captures the drain must consume. */
  readonly toDrain: boolean;
  /** Connections in which a surplus resource was first seen: their sweep is due. */
  readonly surplus: readonly ConnectionId[];
}

/** A lane changed between its look-up and its lock, so the transaction must be retried. */
export class LaneMovedError extends Error {
  override readonly name = "LaneMovedError";
  /** Postgres' code of a serialization failure, by which the store retries the transaction. */
  readonly code = "40001";
}

interface Mapped extends Incoming {
  readonly mapping: Mapping;
}

/** How certain it is that the arrival is a second resource of the lane's record. */
type Surplus = "proven" | "perhaps";

interface Addressed extends Incoming {
  readonly lane: LaneId;
  readonly surplus: Surplus | null;
}

/** Saves the decisions on locked lanes. Returns whether the drain has captures to consume. */
export type SaveAdmitted = (
  tx: StoreTransaction,
  decided: readonly Decided[],
  book: DirectorySnapshot,
) => Promise<{ readonly toDrain: boolean }>;

async function saveAsQueued(
  tx: StoreTransaction,
  decided: readonly Decided[],
): ReturnType<SaveAdmitted> {
  await tx.saveLanes(decided);
  return { toDrain: false };
}

/**
 * Admits a batch within a transaction, in the order given.
 *
 * @param save Saves the decisions. Default: every event is queued.
 * @param held Whether to wait for lanes that another transaction holds, or to skip the deliveries that need them.
 * @param beside Other writes of the caller, started once the skipped deliveries are known, in parallel to the rest.
 */
export async function admitArrivals(
  tx: StoreTransaction,
  incoming: readonly Incoming[],
  book: DirectorySnapshot,
  services: Services,
  save: SaveAdmitted = saveAsQueued,
  held: "wait" | "skip" = "wait",
  beside: (left: ReadonlySet<DeliveryId>) => Promise<void> = () => Promise.resolve(),
): Promise<AdmissionSummary> {
  const mapped = incoming.flatMap((item): Mapped[] => {
    const mapping = mappingOfResource(
      services,
      item.contact.connection.integration,
      item.arrival.observation.type,
    );
    return mapping === null ? [] : [{ ...item, mapping }];
  });
  const { addressed: all, unmade } = await addressAll(tx, mapped, held);
  const locked = await tx.lockLanes([...new Set(all.map(({ lane }) => lane))], held);
  const lanes = new Map(locked.map((lane) => [lane.id, lane]));
  const left = new Set(
    held === "wait"
      ? []
      : [...unmade, ...all.filter(({ lane }) => !lanes.has(lane))].flatMap(
          ({ arrival }) => arrival.deliveryId ?? [],
        ),
  );
  const addressed = all.filter(({ arrival: { deliveryId: id } }) => id === null || !left.has(id));
  const [, admitted] = await allOf(
    beside(left),
    admitAddressed(tx, addressed, lanes, book, save, services.authors.token !== null),
  );
  return { seen: incoming.length, unmapped: incoming.length - mapped.length, left, ...admitted };
}

/**
 * Decides about arrivals whose lanes are locked, in their order, and saves the decisions.
 *
 * @param haveOwnTokens Whether creates are also sent under users' own tokens.
 */
async function admitAddressed(
  tx: StoreTransaction,
  addressed: readonly Addressed[],
  lanes: ReadonlyMap<LaneId, Lane>,
  book: DirectorySnapshot,
  save: SaveAdmitted,
  haveOwnTokens: boolean,
): Promise<Pick<AdmissionSummary, "born" | "unchanged" | "toDrain" | "surplus">> {
  // A resource that is seen for the first time may be one that an unmarked create made.
  const unseen = addressed.filter(({ lane: id, surplus, arrival, contact }) => {
    const lane = lanes.get(id);
    const mayBeMade =
      haveOwnTokens || writtenByUs(arrival.observation, contact.account.identity) !== false;
    return surplus === null && lane !== undefined && isUnseen(lane) && mayBeMade;
  });
  const awaited = await whereIntentsAreOpen(tx, unseen);
  const after = new Map<LaneId, Transition>();
  const born: Partial<Record<EventState, number>> = {};
  let unchanged = 0;
  const found: ConnectionId[] = [];
  for (const item of addressed) {
    const { lane: id, arrival, surplus } = item;
    const awaits = awaited.get(item) ?? null;
    const before = lanes.get(id);
    if (before === undefined) throw new LaneMovedError(`lane ${id} is gone`);
    const current: Transition = after.get(id) ?? { lane: before, ended: [] };
    refuseMoved(current.lane, arrival, surplus);
    const context = book.context(current.lane, tx.now);
    const admission =
      surplus === null
        ? admitThenReclose(current.lane, arrival, context)
        : admitSurplus(current.lane, arrival, item.contact.connection.id, context, surplus);
    const held =
      current.lane.awaitingIntent !== null || (awaits !== null && isUnseen(current.lane))
        ? awaitIntents(admission, tx.now, awaits === "stalled")
        : admission;
    // A surplus resource changes the intent only when it is seen first.
    if (surplus === "proven" && held.lane.intent !== current.lane.intent) {
      found.push(item.contact.connection.id);
    }
    after.set(id, { lane: held.lane, ended: [...current.ended, ...held.ended] });
    if (admission.event === null) unchanged += 1;
    else born[admission.event.state] = (born[admission.event.state] ?? 0) + 1;
  }
  const decided = [...after].flatMap(([id, transition]): Decided[] => {
    const before = lanes.get(id);
    return before === undefined ? [] : [{ before, after: transition }];
  });
  const { toDrain } = await save(tx, decided, book);
  return { unchanged, born, toDrain, surplus: found };
}

/** Decides which lane each arrival belongs to, and reserves lanes for new resources. */
async function addressAll(
  tx: StoreTransaction,
  mapped: readonly Mapped[],
  held: "wait" | "skip",
): Promise<{
  readonly addressed: readonly Addressed[];
  /** Arrivals whose lane another transaction is creating. */
  readonly unmade: readonly Mapped[];
}> {
  const identified = await identifyArrivals(tx, mapped);
  const fresh = identified.filter(({ identification }) => identification.kind === "new");
  const keys = fresh.map(({ item }) => newLaneKey(item));
  const reserved = await tx.reserveLanes(keys, held);
  const reservedFor = new Map(fresh.map(({ item }, index) => [item, reserved[index] ?? null]));
  const addressed = identified.flatMap(({ item, identification }): Addressed[] => {
    switch (identification.kind) {
      case "lane":
      case "adopt":
        return [{ ...item, lane: identification.id, surplus: null }];
      case "surplus": {
        const surplus = identification.isProven ? "proven" : "perhaps";
        return [{ ...item, lane: identification.of, surplus }];
      }
      case "new": {
        const lane = reservedFor.get(item) ?? null;
        return lane === null ? [] : [{ ...item, lane, surplus: null }];
      }
    }
  });
  const unmade = fresh.map(({ item }) => item).filter((item) => reservedFor.get(item) === null);
  return { addressed, unmade };
}

/** Results of earlier identifications in this batch that the store does not have yet, by the create's lane. */
export type Adoptions = Map<LaneId, Pick<IntentKey, "externalId" | "posted">>;

/**
 * Identifies the lane of each arrival, if it has one.
 *
 * @param adopted The results of earlier arrivals; those of these arrivals are added.
 */
export async function identifyArrivals<Item extends Incoming & Pick<Mapped, "mapping">>(
  tx: StoreTransaction,
  items: readonly Item[],
  adopted: Adoptions = new Map(),
): Promise<readonly { readonly item: Item; readonly identification: Identification }[]> {
  const known = await lookUp(tx, items);
  return items.map((item) => {
    const { observation } = item.arrival;
    const { id: connection } = item.contact.connection;
    const made = known.byToken.get(
      resourceKey(connection, observation.type, observation.token ?? ""),
    );
    const byToken = made === undefined ? null : { ...made, ...adopted.get(made.id) };
    const { content } = observation;
    const identification = identify(
      content === null ? observation : { ...observation, said: saidOf(content, item.mapping) },
      known.byExternalId.get(resourceKey(connection, observation.type, observation.externalId)) ??
        null,
      byToken,
      item.contact.account.identity,
    );
    const isMade =
      identification.kind === "adopt" ||
      (identification.kind === "surplus" && identification.isProven);
    if (byToken !== null && isMade) {
      const bound = byToken.externalId ?? observation.externalId;
      const posted = withMade(byToken.posted, observation);
      adopted.set(byToken.id, { externalId: bound, posted });
    }
    return { item, identification };
  });
}

/**
 * The arrivals that an open unmarked create of their connection and type may have made. `stalled`: nothing will
 * settle the open creates.
 */
async function whereIntentsAreOpen(
  tx: StoreTransaction,
  items: readonly Incoming[],
): Promise<ReadonlyMap<Incoming, "open" | "stalled">> {
  const result = new Map<Incoming, "open" | "stalled">();
  for (const group of byConnectionAndType(items)) {
    const [first] = group;
    if (first === undefined) continue;
    const { type } = first.arrival.observation;
    const isEdited = (item: Incoming) => mayHaveLostToken(item.arrival.observation, tx.now);
    for (const mayBeEdited of [false, true]) {
      const those = group.filter((item) => isEdited(item) === mayBeEdited);
      if (those.length === 0) continue;
      const open = await openIntents(tx, first.contact.connection.id, type, mayBeEdited);
      for (const item of those) {
        const { observation } = item.arrival;
        const { identity } = item.contact.account;
        const may = open.filter(({ intent }) =>
          isByItsWriter(observation, intent.posted ?? null, identity),
        );
        if (may.length === 0) continue;
        result.set(item, may.every(({ stalled }) => stalled) ? "stalled" : "open");
      }
    }
  }
  return result;
}

function newLaneKey({ contact, arrival, mapping }: Mapped): LaneKey {
  return {
    connectionId: contact.connection.id,
    resourceType: arrival.observation.type,
    recordType: mapping.recordType,
    externalId: arrival.observation.externalId,
    recordId: null,
  };
}

async function lookUp(tx: StoreTransaction, items: readonly Incoming[]) {
  const byExternalId = new Map<string, { readonly id: LaneId; readonly externalId: string }>();
  const byToken = new Map<string, IntentKey>();
  for (const group of byConnectionAndType(items)) {
    const [first] = group;
    if (first === undefined) continue;
    const connection = first.contact.connection.id;
    const { type } = first.arrival.observation;
    const ids = group.map(({ arrival }) => arrival.observation.externalId);
    for (const lane of await tx.findLanes({
      kind: "of_resources",
      connectionId: connection,
      resourceType: type,
      externalIds: [...new Set(ids)],
    })) {
      byExternalId.set(resourceKey(connection, type, lane.externalId), lane);
    }
    const tokens = group.flatMap(({ arrival }) => arrival.observation.token ?? []);
    if (tokens.length === 0) continue;
    for (const lane of await tx.findLanes({
      kind: "of_tokens",
      connectionId: connection,
      resourceType: type,
      tokens: [...new Set(tokens)],
    })) {
      const isElsewhere = lane.connectionId !== connection;
      const { id, externalId, recordId, intent } = lane;
      const { token, since, posted = null } = intent;
      const created = { id, externalId, recordId, since, posted, isElsewhere };
      byToken.set(resourceKey(connection, type, token), created);
    }
  }
  return { byExternalId, byToken };
}

/** Refuses a lane that got another resource between its look-up and its lock. */
function refuseMoved(lane: Lane, { observation }: Arrival, surplus: Surplus | null): void {
  if (surplus !== null || lane.externalId === null || lane.externalId === observation.externalId)
    return;
  throw new LaneMovedError(`lane ${lane.id} was bound to ${lane.externalId} meanwhile`);
}

function byConnectionAndType<Item extends Incoming>(
  items: readonly Item[],
): readonly (readonly Item[])[] {
  return groupBy(items, ({ contact, arrival }) =>
    resourceKey(contact.connection.id, arrival.observation.type, ""),
  );
}
