/**
 * The webhooks of the simulated GitHub: their payloads, hooks and deliveries.
 *
 * 1. A delivery is signed, sent once and with a delay, and resent only on request.
 */
export {
  announceAssignee,
  announceComment,
  announceInstallation,
  announceIssue,
  announceLabel,
  announceOwner,
  announceRename,
  announceSelection,
  announceTransfer,
} from "./announce.ts";
export type { Hook } from "./hook.ts";
export { type Delivery, type DeliveryState, type HookInput, Webhooks } from "./webhooks.ts";
