/**
 * Admission: what becomes of an observation when it comes in. `admit` is the whole table of rows 2 to 7.
 *
 * 1. The first row that holds decides, and its event says why.
 * 2. Only content that is known is ignored for being old.
 */
export { admit, cancelOlder } from "./admit.ts";
