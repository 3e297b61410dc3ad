/** GitHub's refusals, as errors with the status and the body of the response. */
import type { WireJsonObject } from "./identifiers.ts";

/** One entry of the `errors` array of a 422. */
export interface FieldError {
  readonly resource: string;
  readonly field: string;
  readonly code:
    "missing" | "missing_field" | "invalid" | "already_exists" | "unprocessable" | "custom";
  readonly message?: string;
  readonly value?: string;
}

/** Thrown by an operation that GitHub would refuse. */
export class GitHubFailure extends Error {
  override readonly name = "GitHubFailure";
  readonly status: number;
  readonly fields: WireJsonObject;
  readonly headers: Readonly<Record<string, string>>;
  /** The path of a redirect, below the API's root. */
  readonly location: string | null;

  constructor(
    status: number,
    message: string,
    more: {
      readonly fields?: WireJsonObject;
      readonly headers?: Readonly<Record<string, string>>;
      readonly location?: string;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.fields = more.fields ?? {};
    this.headers = more.headers ?? {};
    this.location = more.location ?? null;
  }
}

export function notFound(): GitHubFailure {
  return new GitHubFailure(404, "Not Found");
}

export function gone(message: string): GitHubFailure {
  return new GitHubFailure(410, message);
}

/** A redirect to a path of the API: 301 for reads, 307 if method and body must be kept. */
export function moved(status: 301 | 307, location: string): GitHubFailure {
  const message = status === 301 ? "Moved Permanently" : "Temporary Redirect";
  return new GitHubFailure(status, message, { location });
}

export function validationFailed(...errors: readonly FieldError[]): GitHubFailure {
  return new GitHubFailure(422, "Validation Failed", {
    fields: { errors: errors.map((error) => ({ ...error })) },
  });
}

/** GitHub's response to a body that does not have the shape in the route's description. */
export function invalidRequest(reason: string): GitHubFailure {
  return new GitHubFailure(422, `Invalid request.\n\n${reason}`);
}
