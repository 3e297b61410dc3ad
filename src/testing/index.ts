/** The test kit: what `tandem-sync/testing` exports. */
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
