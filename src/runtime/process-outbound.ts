/**
 * Processing an outbound event: decide from record and base as they are now, commit what is sent,
 * send it, and merge the answer. No transaction is open while a request is on its way.
 */
import type { Context } from "../engine/context.ts";
import { mustLook } from "../engine/covered.ts";
import { learnIdentity } from "../engine/identify.ts";
import { awaitDrain, awaitRecord } from "../engine/inbound.ts";
import { type Sight, sightOf } from "../engine/merge.ts";
import {
  concludeAnswer,
  concludeLook,
  concludeResourceRemoval,
  type OutboundRequest,
  type OutboundStep,
  stepOutbound,
} from "../engine/outbound.ts";
import type { Plan } from "../engine/plan.ts";
import { missedAtMove } from "../engine/record-move.ts";
import { recordContent } from "../engine/translate-record.ts";
import { type ContainerClient, IntegrationError } from "../integrations/integration.ts";
import { type Content, pick } from "../model/content.ts";
import type { TandemEvent } from "../model/event.ts";
import type { Lane } from "../model/lane.ts";
import type { Observation } from "../model/observation.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { AddressBook, Contact } from "./address-book.ts";
import { type Claimed, forgetLate, hold, type Held, save } from "./claim.ts";
import { awaitAccount } from "./paused-account.ts";
import type { Failpoint } from "./failpoints.ts";
import { attributionOf, type Author, authorOf } from "./attribution.ts";
import { type Asked, byAccount, forgetRefused, writerFor } from "./author-tokens.ts";
import { admitGone } from "./process-inbound.ts";
import { type Written, writeMerge } from "./record-side.ts";
import { noteRestored } from "./restored-children.ts";
import { randomToken, type Services } from "./services.ts";
import { findCreated } from "./find-created.ts";
import { noteParentGone } from "./gone-arrival.ts";
import { parentState } from "./parent-state.ts";
import { refuseStale } from "./stale-read.ts";
import { holdNamed } from "./tokenless-creates.ts";
import { lookAgain } from "./whereabouts.ts";
import { recordWriter } from "./write-record.ts";

type Step = Exclude<OutboundStep, { kind: "settled" | "ask_author" }>;
type Look = Extract<Step, { kind: "reread" | "find" }> & { readonly contact: Contact };

/** Works on one claimed outbound event until it ends or goes back to the queue. */
export async function processOutbound(
  services: Services,
  claimed: Claimed,
  book: AddressBook,
  signal: AbortSignal,
): Promise<void> {
  let looked: Looked = "not_yet";
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
      const instead = await carryOut(services, claimed, book, contact, request, asked, signal);
      if (instead === null) return;
      asked = instead;
      continue;
    }
    const seen = await look(step, claimed, services, book, signal);
    if (seen === "gone") return;
    if (seen !== null && !(await settleLook(services, claimed, book, step, seen))) return;
    looked = seen === null ? "found_nothing" : "settled";
  }
}

/** How far this worker has looked into an unknown outcome. */
type Looked = "not_yet" | "found_nothing" | "settled";

/** One transaction: what comes next? `null` where the event ended, waits, or is not ours any more. */
async function decide(
  services: Services,
  claimed: Claimed,
  book: AddressBook,
  looked: Looked,
  asked: Asked | null,
): Promise<
  | (Step & { readonly contact: Contact })
  | { readonly kind: "ask_author"; readonly contact: Contact; readonly author: Author }
  | null
> {
  return services.store.transaction(async (tx) => {
    const held = await hold(tx, claimed);
    if (held === null) return null;
    const context = book.context(held.lane, tx.now);
    const contact = book.contact(held.lane.connectionId);
    if (contact === null) return null;
    const row = await readRow(tx, held.lane, context);
    const author = await authorOf(tx, row, context, services);
    const view = {
      record: row === null ? null : recordContent(context.mapping, row),
      attribution: attributionOf(author, context, services),
      writer: writerFor(asked, author),
      parent: await parentState(tx, held.lane, context),
      token: randomToken(services.random),
      // What was not there when it was listed may have been bound by its echo since.
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

/** Looks into an unknown outcome. `null`: nothing was created. */
async function look(
  step: Look,
  claimed: Claimed,
  services: Services,
  book: AddressBook,
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
  book: AddressBook,
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

/** Merges what a look has seen; `false` where the event went back to the queue. */
async function settleLook(
  services: Services,
  claimed: Claimed,
  book: AddressBook,
  { kind, contact }: Look,
  seen: Observation,
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
    refuseStale(held.lane, seen, "unknown");
    const lane = learnIdentity(taken.lane, seen);
    const sight = sightOf(lane, seen, "reread", context);
    const written = await writeAnswer(tx, lane, sight, held, book, context);
    if (written === "busy") {
      await save(tx, held, awaitRecord({ lane, ended: taken.ended }, held.event, context));
      return false;
    }
    const start = { lane: written.lane, ended: taken.ended };
    const concluded = concludeLook(start, held.event, sight, written.merged, written, context);
    await save(tx, held, concluded);
    if (held.lane.externalId === null) await wakeWaiting(tx, concluded.lane);
    if (mustLook(held.event)) await noteRestored(tx, concluded.lane, held.event.id);
    return true;
  });
}

/** Returns who is to write instead, where the author's own token was refused; else `null`. */
async function carryOut(
  services: Services,
  claimed: Claimed,
  book: AddressBook,
  contact: Contact,
  request: OutboundRequest,
  asked: Asked | null,
  signal: AbortSignal,
): Promise<Asked | null> {
  const own = request.kind === "create" && request.writer.kind === "author" ? asked : null;
  const client = own?.client ?? services.gateway.container(contact);
  const reach = (point: Failpoint) => reachClaimed(services, claimed, point);
  if (!("values" in request)) {
    await reach("before:send");
    const removed = await remove(client, request, signal);
    await reach("after:send");
    await services.store.transaction(async (tx) => {
      const held = await hold(tx, claimed);
      if (held === null) return;
      await reach("before:answer");
      const context = book.context(held.lane, tx.now);
      await save(tx, held, concludeResourceRemoval(held.start, held.event, removed, context));
    });
    await reach("after:answer");
    return null;
  }
  let answer: Observation | null;
  try {
    answer = await send(client, request, claimed, services, signal);
  } catch (error) {
    const instead = own?.refused(error) ?? null;
    if (own !== null && instead !== null) return forgetRefused(services, claimed, own, instead);
    if (!(error instanceof IntegrationError) || error.kind !== "gone") throw error;
    if (request.kind === "create") {
      throw await noteParentGone(services, contact, book, request.parent, error);
    }
    await admitGone(services, claimed, book);
    return null;
  }
  if (answer === null) return null;
  await reach("after:send");
  await settleAnswer(services, claimed, book, contact, request.kind, answer);
  await reach("after:answer");
  return null;
}

function reachClaimed(services: Services, claimed: Claimed, point: Failpoint): Promise<void> {
  const { lane, direction, action, claim } = claimed;
  const { event, worker } = claim;
  return services.failpoints.reach(point, { lane, event, direction, action, worker });
}

/** `null` where the claim was lost before a create left: whoever has it now makes the resource. */
async function send(
  client: ContainerClient,
  request: Extract<OutboundRequest, { kind: "create" | "patch" }>,
  claimed: Claimed,
  services: Services,
  signal: AbortSignal,
): Promise<Observation | null> {
  if (request.kind === "patch") {
    await reachClaimed(services, claimed, "before:send");
    return client.patch(request.ref, request.values, request.token, signal);
  }
  const held = await services.store.transaction(async (tx) => {
    const mine = await hold(tx, claimed);
    if (mine === null) await forgetLate(tx, claimed);
    return mine;
  });
  if (held === null) return null;
  await reachClaimed(services, claimed, "before:send");
  return client.create(
    {
      type: held.lane.resourceType,
      values: request.values,
      parent: request.parent,
      token: request.token,
    },
    signal,
  );
}

/** A resource that is gone already needs no deletion. Closing answers with what it is like then. */
async function remove(
  client: ContainerClient,
  request: Extract<OutboundRequest, { kind: "delete" | "close" }>,
  signal: AbortSignal,
): Promise<Observation | "gone" | "not_found" | null> {
  try {
    if (request.kind === "close") return await client.close(request.ref, null, signal);
    await client.delete(request.ref, signal);
    return null;
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error;
    if (error.kind === "gone" || error.kind === "not_found") return error.kind;
    throw error;
  }
}

/** Takes the answer in: it is an observation, and what it carries that we did not send is merged. */
async function settleAnswer(
  services: Services,
  claimed: Claimed,
  book: AddressBook,
  contact: Contact,
  kind: "create" | "patch",
  answer: Observation,
): Promise<void> {
  await services.store.transaction(async (tx) => {
    const created = kind === "create";
    const named = await holdNamed(tx, claimed, contact.connection.id, answer, created);
    if (named.kind !== "taken") return;
    const { held, start: taken } = named;
    await reachClaimed(services, claimed, "before:answer");
    const context = book.context(held.lane, tx.now);
    if (isOfAnother(held.lane, answer)) {
      await save(tx, held, awaitRecord(taken, held.event, context));
      return;
    }
    const lane = learnIdentity(taken.lane, answer);
    const sight = sightOf(lane, answer, "answer", context);
    const written = await writeAnswer(tx, lane, sight, held, book, context);
    if (written === "busy") {
      // What was sent stays noted as unknown; the next attempt reads the resource and settles it.
      await save(tx, held, awaitRecord({ lane, ended: taken.ended }, held.event, context));
      return;
    }
    const start = { lane: written.lane, ended: taken.ended };
    const concluded = concludeAnswer(start, held.event, sight, written.merged, written, context);
    await save(tx, held, concluded);
    // Its echo may have come first: what waits for it waits for this answer all the same.
    if (created) await wakeWaiting(tx, concluded.lane);
  });
}

/** What waited for the resource of a create, and what might have been it. */
async function wakeWaiting(tx: StoreTransaction, lane: Lane): Promise<void> {
  await tx.wakeChildren([lane]);
  if (lane.intent?.tokenless !== true) return;
  await tx.wakeAwaitingIntent(lane.connectionId, lane.resourceType);
}

/** Merges an answer into the record; where the record is gone there is nothing to write. */
async function writeAnswer(
  tx: StoreTransaction,
  lane: Lane,
  sight: Sight,
  { event }: Held,
  book: AddressBook,
  context: Context,
): Promise<
  | {
      readonly lane: Lane;
      readonly merged: Plan;
      readonly before: Content | null;
      readonly after: Written["after"] | null;
    }
  | "busy"
> {
  const withoutRecord = {
    lane,
    merged: { toRecord: {}, toResource: {}, base: sight.content, conflicts: [], outcome: "agreed" },
    before: null,
    after: null,
  } as const;
  if (lane.recordId === null) return withoutRecord;
  if (lane.tombstone?.recordMoved !== undefined) {
    return {
      ...withoutRecord,
      merged: { ...withoutRecord.merged, ...afterMove(lane, sight, event) },
    };
  }
  const contact = book.contact(lane.connectionId);
  const fresh = { scope: contact?.connection.scope ?? "", parentId: null };
  const writer = recordWriter(tx, context.mapping, book.hooks(context.mapping), event, book.clock);
  const written = await writeMerge(tx, lane, sight, writer, context, fresh);
  return written === "missing" ? withoutRecord : written;
}

/** The record was moved away while a request was under way: of what it answers nothing reaches it. */
function afterMove(lane: Lane, { content, at }: Sight, { id }: TandemEvent) {
  const sent = pick(content, Object.keys(lane.attempt?.values ?? {}));
  return {
    base: lane.base === null ? content : { ...lane.base, ...sent },
    conflicts: missedAtMove(lane, content, id, at),
  };
}

/** Another resource was adopted meanwhile: this one is surplus, and the sweep closes it. */
function isOfAnother({ externalId }: Lane, seen: Observation): boolean {
  return externalId !== null && externalId !== seen.externalId;
}
