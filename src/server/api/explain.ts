/** Explains a record: the state of each pairing, what it waits for, and its history. */
import type { TandemCore } from "../../compose.ts";
import { unsentOf } from "../../engine/processing/index.ts";
import { outcomeUnknown } from "../../engine/lane/index.ts";
import { recordContent } from "../../engine/merge/index.ts";
import { REASONS } from "../../model/event.ts";
import { formatInstant } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import {
  endedSide,
  placeOutOfReach,
  type RecordMove,
  recordMoveOf,
} from "../../model/tombstone.ts";
import { webAddress } from "../../model/web-address.ts";
import { DirectorySnapshot } from "../../runtime/services/index.ts";
import type { LedgerEvent } from "../../store/ledger.ts";
import { type ApiExplanation, representEvent } from "../protocol/index.ts";

const SHOWN = 50;

/** Explains a record; `null` if Tandem has neither lane nor journal for it. */
export async function explain(
  core: TandemCore,
  recordType: string,
  recordId: string,
): Promise<ApiExplanation | null> {
  const { store } = core.services;
  const [lanes, journal] = await Promise.all([
    store.ledger.lanesOfRecord(recordType, recordId),
    store.ledger.events({
      record: { type: recordType, id: recordId },
      journal: "only",
      limit: SHOWN,
    }),
  ]);
  if (lanes.length + journal.length === 0) return null;
  const book = await DirectorySnapshot.open(core.services);
  const pairings = [];
  for (const lane of lanes) {
    const events = await store.ledger.events({ laneId: lane.id, limit: SHOWN });
    const unsent = await unsentFields(core, book, lane);
    const contact = book.contact(lane.connectionId);
    pairings.push({
      connection: contact?.connection.containerName ?? lane.connectionId,
      integration_record_type:
        book.mapping(lane)?.resource.relation ?? `${lane.resourceType} (not mapped)`,
      integration_external_id: lane.externalId,
      url: webAddress(lane.display.url),
      in_sync: lane.live.length === 0 && lane.attempt === null && unsent?.length === 0,
      standing: standingOf(lane, unsent, events),
      base: lane.base,
      events: events.map(representEvent),
    });
  }
  return {
    record_type: recordType,
    record_id: recordId,
    pairings,
    journal: journal.map(representEvent),
  };
}

async function unsentFields(
  core: TandemCore,
  book: DirectorySnapshot,
  lane: Lane,
): Promise<readonly string[] | null> {
  const mapping = book.mapping(lane);
  const { recordId } = lane;
  if (mapping === null || recordId === null) return null;
  return core.services.store.transaction(async (tx) => {
    const row = (await tx.records.read(mapping, [recordId])).get(recordId);
    if (row === undefined) return null;
    const context = book.context(lane, tx.now);
    return Object.keys(unsentOf(lane, recordContent(mapping, row), context));
  });
}

function movedText(move: RecordMove): string {
  if (move === "with_parent") return "The record's parent was moved";
  const where = move === "to_connection" ? "another connection" : "a scope without a connection";
  return `The record was moved to ${where}`;
}

/** One sentence about the most urgent fact. */
function standingOf(
  lane: Lane,
  unsent: readonly string[] | null,
  events: readonly LedgerEvent[],
): string {
  if (lane.tombstone !== null && placeOutOfReach(lane.tombstone) !== null) {
    const where = lane.display.movedTo ?? "a container without a connection";
    return `The resource was moved at ${formatInstant(lane.tombstone.at)} to ${where}; the record was kept, and the pairing has ended.`;
  }
  const recordMove = recordMoveOf(lane.tombstone);
  if (lane.tombstone !== null && recordMove !== null) {
    return `${movedText(recordMove)} at ${formatInstant(lane.tombstone.at)}; this pairing has ended.`;
  }
  if (lane.tombstone !== null) {
    const what = endedSide(lane.tombstone);
    return `The ${what} was deleted at ${formatInstant(lane.tombstone.at)}; the pairing has ended.`;
  }
  if (lane.disabled !== null) {
    return `Switched off: ${lane.disabled.why}. Remove the cause, then enable the record; Tandem reads the resource first.`;
  }
  const errored = lane.live.find((event) => event.state === "errored");
  if (errored?.error !== null && errored !== undefined) {
    return `Failed: ${errored.error.message} ${errored.error.hint}`;
  }
  if (outcomeUnknown(lane)) {
    return "A request was sent and its outcome is unknown; Tandem reads the resource next.";
  }
  const waiting = lane.live[0];
  if (waiting !== undefined) {
    const when = waiting.state === "queued" ? ` Due at ${formatInstant(waiting.runAt)}.` : "";
    return `${waiting.direction === "inbound" ? "A change of the resource" : "A change of the record"} is ${waiting.state}. ${REASONS[waiting.reason]}${when}`;
  }
  if (unsent === null) return "The record is gone.";
  if (unsent.length > 0) return `The record differs in ${unsent.join(", ")} and nothing is queued.`;
  const last = events.find((event) => event.state === "completed");
  const since = last?.finishedAt == null ? "" : ` since ${formatInstant(last.finishedAt)}`;
  return `Both sides agree${since}.`;
}
