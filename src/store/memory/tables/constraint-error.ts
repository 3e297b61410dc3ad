/** A constraint of Tandem's own tables is broken: a fault of ours, with the code Postgres gives it. */
export class ConstraintError extends Error {
  override readonly name = "ConstraintError";
  readonly code: "23502" | "23503" | "23505" | "23514" | "40001";

  constructor(code: ConstraintError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
