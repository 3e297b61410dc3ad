/**
 * From captured writes to the provider and back: drain, decide, send, merge the answer.
 *
 * 1. No transaction is open while a request is on its way.
 * 2. The values of a request are committed before it is sent, and it is sent only under a claim that holds.
 * 3. A burst of edits of one record is one event.
 * 4. The response is an observation: it settles what was sent, and its echo is a duplicate.
 */
export { decideEdits } from "./decide-edits.ts";
export { processOutbound } from "./decide.ts";
export { drainChanges, drainPresent } from "./drain.ts";
