/**
 * Triggers on the app's tables, and the changes that they note.
 *
 * 1. The app's statement never fails because of a trigger: a value that does not fit is noted as such.
 * 2. A write of ours is not noted as a change of the app's.
 * 3. A note only says that a record must be read again, so the order of drains does not matter.
 */
export { installCaptureTriggers } from "./capture-triggers.ts";
export { changeStore } from "./change-rows.ts";
export { type Column, mayHideRows, type TableShape, TableShapes } from "./table-shapes.ts";
