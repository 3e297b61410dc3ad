/**
 * Webhooks: stored, answered, translated; missed ones asked for again; news of containers and access.
 *
 * 1. A webhook is answered 2xx only once it is stored.
 * 2. A delivery concerns only accounts whose secret has signed it.
 * 3. A switch that news turned off is turned on by news; a person's pause stays.
 */
export { askForAccess } from "./check-access.ts";
export { translateDeliveries } from "./intake.ts";
export { LARGEST_PAYLOAD_BYTES, receive } from "./receive.ts";
export { redeliverDue } from "./redelivery.ts";
export { countRefusedWebhooks, type RefusedWebhooks } from "./refused-webhooks.ts";
export { takeDeliveries } from "./take-deliveries.ts";
export { createWebhookSecrets, secretsAfter, type WebhookSecrets } from "./webhook-secrets.ts";
