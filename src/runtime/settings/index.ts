/**
 * The app's settings: its hooks, the rules that decisions read, and the secrets of its accounts.
 *
 * 1. Nothing here imports another folder of the runtime.
 * 2. Only allowed variables are read as secrets; a literal secret is stored sealed or refused.
 */
export {
  type AfterCommitHook,
  type ApplyHook,
  type AuthorHooks,
  type CommittedWrite,
  type HookBook,
  HookError,
  type Hooks,
  isRecordNewer,
  NO_HOOKS,
  type RecordKey,
  type RecordOperation,
  type TokenHook,
  ValidationError,
} from "./hooks.ts";
export { mappingOfResource, mappingsBelow, type Rules, type Safety } from "./rules.ts";
export {
  accountSecrets,
  type Environment,
  LiteralSecretError,
  MissingSecretError,
  type Secrets,
} from "./secrets.ts";
