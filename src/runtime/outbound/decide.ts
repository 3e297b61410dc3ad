/**
 * Processing an outbound event: decide from the present record and base, commit the values to send, send them, and
 * merge the answer. No transaction is open while a request is on its way.
 */
import {
  awaitDrain,
  awaitRecord,
  awaitRow,
  concludeLook,
  concludeRemovalLook,
  type OutboundStep,
  stepOutbound,
} from "../../engine/processing/index.ts";
import type { Context } from "../../engine/lane/index.ts";
import { learnIdentity } from "../../engine/creates/index.ts";
import { recordContent, observedState } from "../../engine/merge/index.ts";
import { IntegrationError } from "../../integrations/integration.ts";
import type { Lane } from "../../model/lane.ts";
import type { Observation } from "../../model/observation.ts";
import type { StoreTransaction } from "../../store/store.ts";
import { hiddenOf, lookAgain, parentState } from "../records/index.ts";
import {
  type DirectorySnapshot,
  type Asked,
  type Author,
  type Begun,
  byAccount,
  type Claimed,
  type Contact,
  randomToken,
  type ReadStart,
  type Services,
  writerFor,
} from "../services/index.ts";
import { attributionOf, authorOf } from "../identities/index.ts";
import { sendRequest, type WorkerTurn } from "./send.ts";
import { awaitAccount, lockClaimed, save } from "../claims/index.ts";
import { findCreated } from "./find-created.ts";
import { holdForPausedAccount } from "./hold-for-paused-account.ts";
import { maySend } from "./may-send.ts";
import { admitGone, refuseStale, startRead } from "../inbound/index.ts";
import { beginAfterRead, readFirst } from "./read-first.ts";
import { noteRestored } from "../deletions/index.ts";
import { isOfAnother, wakeWaiting, mergeResponse } from "./answer.ts";
import { holdNamed } from "../admission/index.ts";

type NextStep = Exclude<OutboundStep, { kind: "settled" | "ask_author" }>;
type Look = Extract<NextStep, { kind: "reread" | "find" }> & { readonly contact: Contact };
type AnyLook = Pick<Exclude<NextStep, { kind: "request" }>, "kind"> & { readonly contact: Contact };

/** Processes one claimed outbound event until it ends or is requeued. */
export async function processOutbound(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  turn: WorkerTurn,
): Promise<void> {
  const { begun } = claimed;
  let looked: Looked = "not_yet";
  if (begun !== null) {
    const goesOn = await goOn(services, claimed, book, begun, turn);
    if (!goesOn) return;
    looked = "settled";
  }
  let asked = services.authors.token === null ? byAccount() : null;
  for (;;) {
    const step = await decide(services, claimed, book, looked, asked);
    if (step === null) return;
    if (step.kind === "ask_author") {
      asked = await services.authorTokens.ask(claimed, step.contact, step.author);
      continue;
    }
    if (step.kind === "request") {
      const { contact, request } = step;
      const instead = await sendRequest(services, claimed, book, contact, request, asked, turn);
      if (instead === null) return;
      asked = instead;
      continue;
    }
    const from = startRead(services.clock);
    if (step.kind === "read") {
      const seen = await readFirst(services, claimed, book, step, turn.signal);
      if (seen === "gone") return;
      if (
        typeof seen === "object" &&
        !(await settleLook(services, claimed, book, step, seen, from))
      )
        return;
      looked = "settled";
      continue;
    }
    const seen = await look(step, claimed, services, book, turn.signal);
    if (seen === "gone") return;
    if (seen !== null && !(await settleLook(services, claimed, book, step, seen, from))) return;
    looked = seen === null ? "found_nothing" : "settled";
  }
}

/**
 * Continues an edit whose first step was decided in a batch. Returns `true` if it has read what it would overwrite,
 * and must be processed singly from there.
 */
async function goOn(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  begun: Begun,
  turn: WorkerTurn,
): Promise<boolean> {
  if (begun.kind === "settled") return false;
  if (await holdForPausedAccount(services, claimed, book, begun.contact)) return false;
  if (begun.kind === "request") {
    await sendRequest(services, claimed, book, begun.contact, begun.request, null, turn);
    return false;
  }
  const { signal } = turn;
  if (!(await maySend(services, claimed, "patch"))) return false;
  const from = startRead(services.clock);
  const seen = await readFirst(services, claimed, book, begun, signal);
  if (seen === "gone" || seen === "absent") return false;
  const next = await beginAfterRead(services, { claimed, book, seen, from, signal });
  if (next !== null) return goOn(services, claimed, book, next, turn);
  if (seen === "unchanged") return true;
  return settleLook(services, claimed, book, begun, seen, from);
}

/** The result of this worker's read-back of an unknown outcome. */
type Looked = "not_yet" | "found_nothing" | "settled";

/** Decides the next step in one transaction; `null` if the event ended, waits, or belongs to another worker now. */
async function decide(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  looked: Looked,
  asked: Asked | null,
): Promise<
  | (NextStep & { readonly contact: Contact })
  | { readonly kind: "ask_author"; readonly contact: Contact; readonly author: Author }
  | null
> {
  return services.store.transaction(async (tx) => {
    const held = await lockClaimed(tx, claimed);
    if (held === null) return null;
    const context = book.context(held.lane, tx.now);
    const contact = book.contact(held.lane.connectionId);
    if (contact === null) return null;
    const row = await readRow(tx, held.lane, context);
    const author = await authorOf(tx, row, context, services);
    const view = {
      record: row === null ? null : recordContent(context.mapping, row),
      hidden: row === null && (await isHiddenFrom(tx, held.lane, context)),
      attribution: attributionOf(author, context, services),
      writer: writerFor(asked, author),
      parent: await parentState(tx, held.lane, context),
      token: randomToken(services.random),
      // A resource that the list did not show may have been paired by its echo since.
      looked: looked === "settled" || (looked === "found_nothing" && held.lane.externalId === null),
    };
    const { mapping } = context;
    if (await lookAgain(tx, held, row, view.parent, mapping, book)) {
      await save(tx, held, awaitDrain(held.start, held.event, context));
      return null;
    }
    const step = stepOutbound(held.start, held.event, view, context);
    if (step.kind === "settled") {
      await save(tx, held, step.transition);
      return null;
    }
    const paused = awaitAccount(held, contact, context);
    if (paused !== null) {
      await save(tx, held, paused);
      return null;
    }
    if (step.kind === "ask_author") return author === null ? null : { ...step, contact, author };
    if (step.kind === "request") await save(tx, held, step.transition);
    return { ...step, contact };
  });
}

async function readRow(tx: StoreTransaction, lane: Lane, { mapping }: Context) {
  if (lane.recordId === null) return null;
  return (await tx.records.read(mapping, [lane.recordId])).get(lane.recordId) ?? null;
}

async function isHiddenFrom(tx: StoreTransaction, { recordId }: Lane, { mapping }: Context) {
  return recordId !== null && (await hiddenOf(tx, mapping, [recordId])).has(recordId);
}

/** Reads back an unknown outcome. `null`: nothing was created. */
async function look(
  step: Look,
  claimed: Claimed,
  services: Services,
  book: DirectorySnapshot,
  signal: AbortSignal,
): Promise<Observation | null | "gone"> {
  if (step.kind === "find") {
    return findCreated(services, step.contact, claimed, step, book, signal);
  }
  return readOrGone(services, claimed, book, step, signal);
}

async function readOrGone(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  { ref, contact }: Extract<Look, { kind: "reread" }>,
  signal: AbortSignal,
): Promise<Observation | "gone"> {
  try {
    return await services.gateway.container(contact).read(ref, signal);
  } catch (error) {
    if (!(error instanceof IntegrationError) || error.kind !== "gone") throw error;
    await admitGone(services, claimed, book);
    return "gone";
  }
}

/** Merges the result of a read; returns `false` if the event was requeued. */
async function settleLook(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  { kind, contact }: AnyLook,
  seen: Observation,
  from: ReadStart,
): Promise<boolean> {
  return services.store.transaction(async (tx) => {
    const named = await holdNamed(tx, claimed, contact.connection.id, seen, kind === "find");
    if (named.kind !== "taken") return false;
    const { held, start: taken } = named;
    const context = book.context(held.lane, tx.now);
    if (isOfAnother(held.lane, seen)) {
      await save(tx, held, awaitRecord(taken, held.event, context));
      return false;
    }
    refuseStale(held.lane, seen, kind === "read" ? "no" : "unknown", from, context);
    if (kind === "read" && held.event.action === "delete") {
      await save(tx, held, concludeRemovalLook(taken, held.event, seen, context));
      return true;
    }
    const lane = learnIdentity(taken.lane, seen);
    const observed = observedState(lane, seen, "reread", context);
    const written = await mergeResponse(tx, lane, observed, held, book, context);
    if (typeof written === "string") {
      const unread = { lane, ended: taken.ended };
      await save(tx, held, awaitRow(written, unread, held.event, context));
      return false;
    }
    const start = { lane: written.lane, ended: taken.ended };
    const concluded = concludeLook(start, held.event, observed, written.merged, written, context);
    await save(tx, held, concluded);
    if (held.lane.externalId === null) await wakeWaiting(tx, concluded.lane);
    if (held.event.restores) await noteRestored(tx, concluded.lane, held.event.id);
    return true;
  });
}
