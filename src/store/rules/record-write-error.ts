/**
 * The app's tables refused a write: a constraint, a type, a trigger, a right. Running the same
 * write again gives the same error, so the event is errored and its hint says what to do.
 */

export interface RecordWriteErrorDetails {
  /** A stable code: `unique_violated`, `refused_by_trigger`, `ambiguous_actor`. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** Postgres' code; `null` where the refusal is Tandem's own. */
  readonly sqlState?: string | null;
  readonly table?: string | null;
  readonly column?: string | null;
  readonly constraint?: string | null;
}

export class RecordWriteError extends Error {
  override readonly name = "RecordWriteError";
  readonly code: string;
  readonly hint: string;
  readonly retryable = false;
  readonly sqlState: string | null;
  readonly table: string | null;
  readonly column: string | null;
  readonly constraint: string | null;

  constructor(details: RecordWriteErrorDetails, cause?: unknown) {
    super(details.message, { cause });
    this.code = details.code;
    this.hint = details.hint;
    this.sqlState = details.sqlState ?? null;
    this.table = details.table ?? null;
    this.column = details.column ?? null;
    this.constraint = details.constraint ?? null;
  }
}
