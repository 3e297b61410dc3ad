/**
 * The hooks of a mapping: what a user's code does where SQL is not enough. They belong to the
 * runtime, since they may wait; decisions know nothing of them.
 */
import type { AnyEvent } from "../../model/event.ts";
import type { Content } from "../../model/content.ts";
import type { Mapping, Row, RowPatch } from "../../model/mapping.ts";
import type { AppSql } from "../../store/store.ts";
import type { LedgerEvent } from "../../store/ledger.ts";

/** A record's primary key as an ORM returns it. */
export type RecordKey = string | number | bigint;

/** What is to be done to a record. `patch` has every column to write, `derive`'s included. */
export type RecordOperation =
  | {
      readonly op: "insert";
      readonly row: null;
      readonly patch: RowPatch;
      readonly event: AnyEvent;
    }
  | {
      readonly op: "update";
      /** The row as it is, locked. */
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
 * Writes the record in Tandem's transaction; an insert returns the new key. A deletion may keep the
 * row, as an app that only marks what is deleted does: the pairing ends all the same.
 *
 * It holds the record's row meanwhile, so it is cut off after 20 seconds: no HTTP, and no other
 * connection to the same database, which would wait for it.
 */
export type ApplyHook = (
  tx: AppSql,
  operation: RecordOperation,
) => RecordKey | undefined | Promise<RecordKey | undefined>;

/** A write that was committed. */
export interface CommittedWrite {
  /** A deletion of which `apply` kept the row is an update. */
  readonly op: "insert" | "update" | "delete";
  /** The record's key as text. */
  readonly id: string;
  /** As it is when the hook runs, `null` if it is gone; of a delete, as it was. */
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

/** What the app says of the users who write. */
export interface AuthorHooks {
  /** The line above what a user wrote; `null`: Tandem's own. */
  readonly attribution: ((user: Row) => string | null) | null;
  /** `null`: the account writes everything. */
  readonly token: TokenHook | null;
}

/** Whose token is asked for, and where. */
export interface TokenRequest {
  /** Their row in the table of the identities. */
  readonly user: Row;
  /** `github`. */
  readonly integration: string;
  /** The account's name, as it was connected. */
  readonly account: string;
}

/** Gives a user's own credentials, in the form that the integration's accounts have, or nothing. */
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
 * Thrown by `apply`: the app's own rules refuse the write. The event is errored at once and shows
 * the message as its hint. `record_is_newer` says that the record wins instead: the event is
 * ignored for it, and what was lost is kept in its conflicts.
 *
 * @example
 * throw new ValidationError("A title may have 80 characters; shorten it, then restart the event.");
 * @example
 * throw new ValidationError("record_is_newer");
 */
export class ValidationError extends Error {
  override readonly name = "ValidationError";
}

/** Whether the app says that the record wins over the resource. */
export function isRecordNewer(thrown: unknown): boolean {
  return thrown instanceof ValidationError && thrown.message === "record_is_newer";
}

/** A hook threw, or gave what cannot be written. */
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
