/**
 * The hooks of a mapping: the app's code for tasks that SQL cannot do. They belong to the runtime, because they may
 * wait; the engine's decisions do not use them.
 */
import type { AnyEvent } from "../../model/event.ts";
import type { Content } from "../../model/content.ts";
import type { Mapping, Row, RowPatch } from "../../model/mapping.ts";
import type { AppSql } from "../../store/store.ts";
import type { LedgerEvent } from "../../store/ledger.ts";

/** A record's primary key as an ORM returns it. */
export type RecordKey = string | number | bigint;

/** A write to a record. `patch` has every column to write, including those of `derive`. */
export type RecordOperation =
  | {
      readonly op: "insert";
      readonly row: null;
      readonly patch: RowPatch;
      readonly event: AnyEvent;
    }
  | {
      readonly op: "update";
      /** The present row, which is locked. */
      readonly row: Row;
      readonly patch: RowPatch;
      readonly event: AnyEvent;
    }
  | {
      readonly op: "delete";
      readonly row: Row;
      readonly patch: Readonly<Record<string, never>>;
      readonly event: AnyEvent;
    };

/**
 * Writes the record in Tandem's transaction; an insert returns the new key. A deletion may keep the row, for example
 * only mark it as deleted: the pairing ends nevertheless.
 *
 * The record's row is locked while it runs, so it is aborted after 20 seconds. Use no HTTP, and no other connection to
 * the same database, which would wait for the lock.
 */
export type ApplyHook = (
  tx: AppSql,
  operation: RecordOperation,
) => RecordKey | undefined | Promise<RecordKey | undefined>;

/** A write that was committed. */
export interface CommittedWrite {
  /** A deletion whose row `apply` kept counts as an update. */
  readonly op: "insert" | "update" | "delete";
  /** The record's key as text. */
  readonly id: string;
  /** The row when the hook runs, `null` if it no longer exists; for a delete, the row before it. */
  readonly row: Row | null;
  readonly event: LedgerEvent;
}

export type AfterCommitHook = (write: CommittedWrite) => void | Promise<void>;

export interface Hooks {
  readonly defaults: (content: Content, event: AnyEvent) => RowPatch;
  readonly derive: ((row: Row) => RowPatch | Promise<RowPatch>) | null;
  readonly apply: ApplyHook | null;
  readonly afterCommit: AfterCommitHook | null;
}

/** The app's hooks about the authors of records. */
export interface AuthorHooks {
  /** Returns the attribution line for a user; `null`: Tandem's own line. */
  readonly attribution: ((user: Row) => string | null) | null;
  /** `null`: the account writes everything. */
  readonly token: TokenHook | null;
}

/** The user whose token is requested, and the account. */
export interface TokenRequest {
  /** The user's row in the table of the identities. */
  readonly user: Row;
  /** `github`. */
  readonly integration: string;
  /** The name under which the account was connected. */
  readonly account: string;
}

/** Returns a user's own credentials, in the form of the integration's accounts, or nothing. */
export type TokenHook = (request: TokenRequest) => Given | Promise<Given>;

type Given = object | null | undefined;

export type HookBook = ReadonlyMap<Mapping, Hooks>;

/** A mapping without hooks. */
export const NO_HOOKS: Hooks = {
  defaults: () => ({}),
  derive: null,
  apply: null,
  afterCommit: null,
};

/**
 * Thrown by `apply`: the app's own rules refuse the write. The event is errored without a retry and shows the message
 * as its hint. The message `record_is_newer` means that the record wins: the event is ignored, and the lost values are
 * kept in its conflicts.
 *
 * @example
 * throw new ValidationError("A title may have 80 characters; shorten it, then restart the event.");
 * @example
 * throw new ValidationError("record_is_newer");
 */
export class ValidationError extends Error {
  override readonly name = "ValidationError";
}

/** Whether the app's `apply` decided that the record wins over the resource. */
export function isRecordNewer(thrown: unknown): boolean {
  return thrown instanceof ValidationError && thrown.message === "record_is_newer";
}

/** A hook threw, or returned a value that cannot be written. */
export class HookError extends Error {
  override readonly name = "HookError";
  readonly hook: "defaults" | "derive" | "apply" | "attribution";
  readonly hint: string;
  readonly code: "hook_failed" | "hook_too_slow";

  constructor(
    hook: HookError["hook"],
    message: string,
    hint: string,
    { cause, code = "hook_failed" }: { cause?: unknown; code?: HookError["code"] } = {},
  ) {
    super(message, { cause });
    this.hook = hook;
    this.hint = hint;
    this.code = code;
  }
}
