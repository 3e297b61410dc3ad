/** The test kit: what `tandem-sync/testing` exports. */
export { type Failpoint, FAILPOINTS, type Failpoints } from "../runtime/services/index.ts";
export {
  createMemoryDatabase,
  type MemoryDatabase,
  type MemoryDatabaseOptions,
} from "../store/memory/memory-database.ts";
export type { MemoryClient } from "../store/memory/records.ts";
export type { MemoryTable, MemoryTables, NewRow, RowWrite } from "../store/memory/tables/index.ts";
export * from "./github/index.ts";
export { seededRandom } from "./random.ts";
export {
  createTestTandem,
  TEST_LOGIN,
  TEST_REPOSITORY,
  type TestTandem,
  type TestTandemOptions,
} from "./test-tandem.ts";
export { VirtualClock } from "./virtual-clock.ts";
