/**
 * Admission: the decision about an observation when it arrives. `admit` implements rows 2 to 7 of its table.
 *
 * 1. The first row that holds decides, and the event's reason names it.
 * 2. An older time alone ignores nothing: the version must have been known.
 */
export { admit, cancelOlder } from "./admit.ts";
