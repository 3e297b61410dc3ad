/**
 * The backfill: lists, pairs or creates everything on both sides of a connection, once.
 *
 * 1. Each step is saved with the cursor at which the next one continues.
 * 2. Nothing is created before everything that exists was listed and paired.
 */
export { advanceBackfill, advanceBackfills, openBackfills } from "./backfill.ts";
export {
  parentOf,
  unpairedBelow,
  type UnpairedRecord,
  unpairedRecords,
} from "./unpaired-records.ts";
