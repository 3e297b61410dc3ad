/** Sending the request of an outbound event. No transaction is open while it is on its way. */
import { concludeResourceRemoval, type OutboundRequest } from "../../engine/processing/index.ts";
import { type ContainerClient, IntegrationError } from "../../integrations/integration.ts";
import type { Observation } from "../../model/observation.ts";
import type {
  DirectorySnapshot,
  Asked,
  Claimed,
  Contact,
  Failpoint,
  Services,
} from "../services/index.ts";
import { forgetRefused } from "../identities/index.ts";
import { lockClaimed, reachClaimed, save } from "../claims/index.ts";
import { noteParentGone } from "../admission/index.ts";
import { maySend } from "./may-send.ts";
import { admitGone } from "../inbound/index.ts";
import { handlePatchResponse } from "./patch-responses.ts";
import { settleAnswer } from "./answer.ts";

/** The control of one event's processing by its worker. */
export interface WorkerTurn {
  /** Aborted if the worker is killed: nothing may be written after that. */
  readonly signal: AbortSignal;
  /** Called when the API has answered: only database work is left. */
  readonly answered: () => void;
}

/** Sends a request. Returns the writer to retry with if the author's own token was refused; otherwise `null`. */
export async function sendRequest(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  contact: Contact,
  request: OutboundRequest,
  asked: Asked | null,
  { signal, answered }: WorkerTurn,
): Promise<Asked | null> {
  const own = request.kind === "create" && request.writer.kind === "author" ? asked : null;
  const client = own?.client ?? services.gateway.container(contact);
  const reach = (point: Failpoint) => reachClaimed(services, claimed, point);
  if (!(await maySend(services, claimed, request.kind))) return null;
  await reach("before:send");
  if (!("values" in request)) {
    const removed = await remove(client, request, signal);
    answered();
    await reach("after:send");
    await services.store.transaction(async (tx) => {
      const held = await lockClaimed(tx, claimed);
      if (held === null) return;
      await reach("before:answer");
      const context = book.context(held.lane, tx.now);
      await save(tx, held, concludeResourceRemoval(held.start, held.event, removed, context));
    });
    await reach("after:answer");
    return null;
  }
  let answer: Observation;
  try {
    answer = await send(client, request, claimed, signal);
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
  answered();
  await reach("after:send");
  if (request.kind === "patch") {
    await handlePatchResponse(services, { claimed, book, contact, answer, signal });
  } else {
    await settleAnswer(services, claimed, book, contact, "create", answer);
  }
  await reach("after:answer");
  return null;
}

function send(
  client: ContainerClient,
  request: Extract<OutboundRequest, { kind: "create" | "patch" }>,
  { resourceType: type }: Claimed,
  signal: AbortSignal,
): Promise<Observation> {
  const { values, token } = request;
  return request.kind === "patch"
    ? client.patch(request.ref, values, request.sets, token, signal)
    : client.create({ type, values, parent: request.parent, token }, signal);
}

/** Sends a removal. A resource that is deleted already counts as removed. A closing returns the resource after it. */
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
