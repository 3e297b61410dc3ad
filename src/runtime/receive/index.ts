/**
 * Webhooks: storing, answering and translating them, requesting missed ones again, and following changes of containers
 * and access.
 *
 * 1. A webhook is answered 2xx only after it is stored.
 * 2. A delivery concerns only accounts whose secret has signed it.
 * 3. A webhook switches on only a connection that a webhook switched off; a person's pause stays.
 */
export { askForAccess } from "./check-access.ts";
export { translateDeliveries } from "./intake.ts";
export { receiveInBatches } from "./receive-batches.ts";
export { LARGEST_PAYLOAD_BYTES, receive } from "./receive.ts";
export { redeliverDue } from "./redelivery.ts";
export { countRefusedWebhooks, type RefusedWebhooks } from "./refused-webhooks.ts";
export { takeDeliveries } from "./take-deliveries.ts";
export { createWebhookSecrets, secretsAfter, type WebhookSecrets } from "./webhook-secrets.ts";
