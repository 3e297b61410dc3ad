/**
 * The next steps of edits of paired records, decided as a batch in the transaction that claims them. Nearly all
 * edits read first what they would overwrite, and continue in `read-first.ts`. An event that needs more than its lane
 * and record is processed singly: a create, a removal, a read-back, an attribution line.
 */
import { stepOutbound } from "../../engine/processing/index.ts";
import { processing } from "../../engine/lane/index.ts";
import { recordContent } from "../../engine/merge/index.ts";
import type { LaneId } from "../../model/ids.ts";
import type { Transition } from "../../model/lane.ts";
import type { Mapping, Row } from "../../model/mapping.ts";
import type { Decided, StoreTransaction } from "../../store/store.ts";
import {
  type DirectorySnapshot,
  type BegunWrite,
  type Contact,
  type ClaimedLane,
  randomToken,
  type Services,
} from "../services/index.ts";
import { awaitAccount } from "../claims/index.ts";

/** An edit whose lane is locked under its claim. */
export interface ClaimedEdit {
  readonly held: ClaimedLane;
  readonly recordId: string;
  readonly contact: Contact;
  readonly mapping: Mapping;
}

/** Decides the next step of claimed events. An event that must be processed singly is not in the result. */
export async function decideEdits(
  tx: StoreTransaction,
  claimed: readonly Decided[],
  book: DirectorySnapshot,
  services: Pick<Services, "random">,
): Promise<ReadonlyMap<LaneId, BegunWrite>> {
  const claimedEdits = claimed.flatMap(({ after }) => findClaimedEdit(after, book) ?? []);
  const begun = new Map<LaneId, BegunWrite>();
  for (const mapping of new Set(claimedEdits.map((claimedEdit) => claimedEdit.mapping))) {
    const alike = claimedEdits.filter((claimedEdit) => claimedEdit.mapping === mapping);
    const rows = await tx.records.read(
      mapping,
      alike.map(({ recordId }) => recordId),
    );
    for (const claimedEdit of alike) {
      const row = rows.get(claimedEdit.recordId) ?? null;
      const write = decideEdit(claimedEdit, row, tx, book, services, { looked: false });
      if (write !== null) begun.set(claimedEdit.held.lane.id, write);
    }
  }
  return begun;
}

/** The edit that an event carries; `null` if it is not an edit, or if it must be processed singly. */
export function findClaimedEdit(start: Transition, book: DirectorySnapshot): ClaimedEdit | null {
  const { lane } = start;
  const event = processing(lane);
  const contact = book.contact(lane.connectionId);
  const mapping = book.mapping(lane);
  const { recordId } = lane;
  if (event === null || contact === null || mapping === null || recordId === null) return null;
  if (event.direction !== "outbound" || event.action !== "upsert") return null;
  if (lane.externalId === null || mapping.author !== null) return null;
  return { held: { lane, event, start }, recordId, contact, mapping };
}

/** Decides the next step of an edit; `null` if the edit must be processed singly. */
export function decideEdit(
  { held, contact }: ClaimedEdit,
  row: Row | null,
  { now }: Pick<StoreTransaction, "now">,
  book: DirectorySnapshot,
  { random }: Pick<Services, "random">,
  { looked }: { readonly looked: boolean },
): BegunWrite | null {
  // An absent row may only be hidden from Tandem. The single processing of the event checks that.
  if (row === null) return null;
  const context = book.context(held.lane, now);
  try {
    const record = recordContent(context.mapping, row);
    const token = randomToken(random);
    const view = { record, attribution: null, parent: "none", token, looked } as const;
    const step = stepOutbound(held.start, held.event, view, context);
    switch (step.kind) {
      case "settled":
        return { after: step.transition, begun: { kind: "settled" } };
      case "request": {
        const { transition, request } = step;
        const paused = awaitAccount(held, contact, context);
        return paused === null
          ? { after: transition, begun: { kind: "request", contact, request } }
          : { after: paused, begun: { kind: "settled" } };
      }
      case "read": {
        const paused = awaitAccount(held, contact, context);
        const { ref, validator } = step;
        return paused === null
          ? { after: held.start, begun: { kind: "read", contact, ref, validator } }
          : { after: paused, begun: { kind: "settled" } };
      }
      case "reread":
      case "find":
      case "ask_author":
        return null;
    }
  } catch {
    // The app's own functions may throw. The single processing of the event reports the error.
    return null;
  }
}
