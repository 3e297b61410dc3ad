/**
 * Triggers on the app's tables, and the changes that they note.
 *
 * 1. A write of the app and its capture are stored in one transaction, or neither is (decision 9).
 * 2. Any other failure in a trigger is caught: the write is captured without the values that could not be read.
 * 3. A statement of Tandem that reports its write itself is not captured. Writes of the app's own triggers are.
 */
export { installCaptureTriggers } from "./capture-triggers.ts";
export { changeStore } from "./change-rows.ts";
export { type Column, mayHideRows, type TableShape, TableShapes } from "./table-shapes.ts";
