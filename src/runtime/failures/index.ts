/**
 * The classes of thrown errors, from which the engine decides between retry, wait and permanent failure.
 *
 * 1. Errors are classified by type and status, never by their text.
 */
export {
  classify,
  concernsAll,
  describe,
  describeError,
  isDatabaseTrouble,
  messageOf,
} from "./failures.ts";
export { ResourceTakenError } from "./resource-taken-error.ts";
export { UnfitScopeError } from "./unfit-scope-error.ts";
