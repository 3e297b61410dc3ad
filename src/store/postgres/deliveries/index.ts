/**
 * Webhooks as they came in: accepted, refused, or to be asked for again.
 *
 * 1. A delivery is stored once per integration and key; a repetition is counted.
 * 2. A delivery is taken by one worker; others skip it while it is locked.
 */
export { deliveryStore, keysReceived, pendingDeliveries } from "./delivery-rows.ts";
export { redeliveryStore } from "./redelivery-rows.ts";
export { refusalStore } from "./refusal-rows.ts";
