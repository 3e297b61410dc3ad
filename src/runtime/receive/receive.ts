/** The receiver: a webhook is answered 2xx only after it is stored. Every later step can fail and be repeated. */
import { liveEvents, restart, unchanged } from "../../engine/lane/index.ts";
import { type AccountId, type DeliveryId, deliveryId } from "../../model/ids.ts";
import type { ReceivedDelivery } from "../../store/deliveries.ts";
import type { Services } from "../services/index.ts";
import type { StoreDelivery } from "./receive-batches.ts";
import type { KnownSecrets, WebhookSecrets } from "./webhook-secrets.ts";

/** GitHub's own limit for a payload. A larger one is refused with 413 before it is read completely. */
export const LARGEST_PAYLOAD_BYTES = 25 * 1024 * 1024;

export type Receipt =
  | { readonly ok: true; readonly id: DeliveryId; readonly seenBefore: boolean }
  | {
      readonly ok: false;
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    };

/** Verifies and stores one webhook request. Throws only if it could not be stored. */
export async function receive(
  services: Services,
  integrationName: string,
  headers: Headers,
  body: Uint8Array,
  secretsOf: WebhookSecrets["of"],
  store: StoreDelivery,
): Promise<Receipt> {
  const integration = services.integrations.get(integrationName);
  if (integration === undefined) {
    return {
      ok: false,
      status: 404,
      code: "unknown_integration",
      message: `there is no integration "${integrationName}"`,
      hint: `Point the webhook at /webhooks/${[...services.integrations.keys()].join(" or /webhooks/")}.`,
    };
  }
  let known = await secretsOf(integrationName);
  let verified = await integration.verify({ headers, body, secrets: allOf(known) });
  // The webhook may be signed with a secret that is newer than the cached ones.
  if (!verified.ok && verified.status === 401) {
    known = await secretsOf(integrationName, "now");
    verified = await integration.verify({ headers, body, secrets: allOf(known) });
  }
  if (!verified.ok) {
    const [missing] = known.missing;
    if (verified.status !== 401 || missing === undefined) return verified;
    const { code, message, hint } = missing;
    return { ok: false, status: 503, code, message, hint };
  }

  const { signedWith } = verified;
  const verifiedBy = known.accounts
    .filter(({ secrets }) => secrets.some((secret) => signedWith.includes(secret)))
    .map(({ id }) => id);
  const delivery = {
    // Ids keep the order in which deliveries arrived, also within one batch.
    id: deliveryId(services.newEventId(services.clock.now())),
    integration: integrationName,
    deliveryKey: verified.deliveryKey,
    event: verified.event,
    payload: new TextDecoder().decode(body),
    verifiedBy,
  };
  let stored = await store(delivery);
  if (stored.seenBefore && !mayRepeat(stored, verifiedBy)) {
    // Another account's delivery used this key first. It must not hide this one, and is not the same delivery.
    stored = await store({
      ...delivery,
      deliveryKey: `${delivery.deliveryKey} ${verifiedBy.join(" ")}`,
    });
  }
  if (stored.seenBefore) await restartDelivery(services, stored.id);
  return { ok: true, id: stored.id, seenBefore: stored.seenBefore };
}

function allOf({ accounts }: KnownSecrets): readonly string[] {
  return [...new Set(accounts.flatMap(({ secrets }) => secrets))];
}

/** Whether the stored delivery may be the same one: every account that signed this one has signed that one. */
function mayRepeat(
  { verifiedBy: before }: Pick<ReceivedDelivery, "verifiedBy">,
  verifiedBy: readonly AccountId[],
): boolean {
  return before === null || verifiedBy.every((account) => before.includes(account));
}

/** Row 1 of admission: a repeated delivery adds no event, and its errored events are restarted. */
async function restartDelivery(services: Services, id: DeliveryId): Promise<void> {
  await services.store.transaction(async (tx) => {
    const lanes = await tx.lockLanes(await tx.pendingDeliveries.erroredLanes(id));
    await tx.saveLanes(
      lanes.map((before) => ({
        before,
        after: liveEvents(before, "errored")
          .filter((event) => event.deliveryId === id)
          .reduce((transition, event) => restart(transition, event, tx.now), unchanged(before)),
      })),
    );
  });
}
