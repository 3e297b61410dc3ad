/**
 * The backfill: everything that exists on both sides of a connection is listed, paired or created, once.
 *
 * 1. Each step is saved with the place where the next one goes on.
 * 2. Nothing is created before everything that exists was listed and paired.
 */
export { advanceBackfill, advanceBackfills, openBackfills } from "./backfill.ts";
export {
  parentOf,
  unpairedBelow,
  type UnpairedRecord,
  unpairedRecords,
} from "./unpaired-records.ts";
