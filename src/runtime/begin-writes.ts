/**
 * Edits of paired records, begun in the transaction that claims them: what each is to send is decided
 * and noted for many at once. What needs more than lane and record is left to its own turn: a create, a
 * removal, a look, an author's line.
 */
import { stepOutbound, type OutboundRequest } from "../engine/outbound.ts";
import { processing } from "../engine/transition.ts";
import { recordContent } from "../engine/translate-record.ts";
import type { LaneId } from "../model/ids.ts";
import type { Transition } from "../model/lane.ts";
import type { Mapping, Row } from "../model/mapping.ts";
import type { Decided, StoreTransaction } from "../store/store.ts";
import type { AddressBook, Contact } from "./address-book.ts";
import type { Held } from "./claim.ts";
import { awaitAccount } from "./paused-account.ts";
import { randomToken, type Services } from "./services.ts";

/** How far an event has come in the transaction that claimed it. */
export type Begun =
  /** It ended, or went back to wait; nothing is left to do. */
  | { readonly kind: "settled" }
  /** What leaves next is noted. */
  | { readonly kind: "request"; readonly contact: Contact; readonly request: OutboundRequest };

export interface BegunWrite {
  readonly after: Transition;
  readonly begun: Begun;
}

interface Beginning {
  readonly held: Held;
  readonly recordId: string;
  readonly contact: Contact;
  readonly mapping: Mapping;
}

/** Begins what can be begun of the events that were just claimed; the others are not in the result. */
export async function beginWrites(
  tx: StoreTransaction,
  claimed: readonly Decided[],
  book: AddressBook,
  services: Pick<Services, "random">,
): Promise<ReadonlyMap<LaneId, BegunWrite>> {
  const beginnings = claimed.flatMap(({ after }) => beginningOf(after, book));
  const begun = new Map<LaneId, BegunWrite>();
  for (const mapping of new Set(beginnings.map((beginning) => beginning.mapping))) {
    const alike = beginnings.filter((beginning) => beginning.mapping === mapping);
    const rows = await tx.records.read(
      mapping,
      alike.map(({ recordId }) => recordId),
    );
    for (const beginning of alike) {
      const row = rows.get(beginning.recordId) ?? null;
      const write = decide(beginning, row, tx, book, services);
      if (write !== null) begun.set(beginning.held.lane.id, write);
    }
  }
  return begun;
}

function beginningOf(start: Transition, book: AddressBook): readonly Beginning[] {
  const { lane } = start;
  const event = processing(lane);
  const contact = book.contact(lane.connectionId);
  const mapping = book.mapping(lane);
  const { recordId } = lane;
  if (event === null || contact === null || mapping === null || recordId === null) return [];
  if (event.direction !== "outbound" || event.action !== "upsert") return [];
  if (lane.externalId === null || mapping.author !== null) return [];
  return [{ held: { lane, event, start }, recordId, contact, mapping }];
}

function decide(
  { held, contact }: Beginning,
  row: Row | null,
  { now }: Pick<StoreTransaction, "now">,
  book: AddressBook,
  { random }: Pick<Services, "random">,
): BegunWrite | null {
  // An absent row may only be hidden from us: the event is tried alone then, and asks.
  if (row === null) return null;
  const context = book.context(held.lane, now);
  try {
    const record = recordContent(context.mapping, row);
    const token = randomToken(random);
    const view = { record, attribution: null, parent: "none", token, looked: false } as const;
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
      case "reread":
      case "find":
      case "ask_author":
        return null;
    }
  } catch {
    // The app's own functions may throw: the event is tried alone then, and says so.
    return null;
  }
}
