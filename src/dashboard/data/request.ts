/** Calls the API: returns typed responses, and throws refusals as errors with a hint. */
import type { ApiProblem } from "../../server/protocol/index.ts";

/** A refusal by the server, or a missing response. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly hint: string;
  /** The response's status; `null` without a response. */
  readonly status: number | null;

  constructor(message: string, hint: string, status: number | null, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
    this.status = status;
  }
}

/** Whether the server asks for its token, because the login has ended. */
export function isLocked(error: unknown): boolean {
  return error instanceof RequestError && error.status === 401;
}

/** Relative to the page, because an app or a proxy may serve it below a prefix. */
export function addressOf(path: string): string {
  return `.${path}`;
}

/** @throws RequestError */
export function get<T>(path: string): Promise<T> {
  return request("GET", path);
}

/** @throws RequestError */
export function send<T>(
  method: "POST" | "PATCH" | "DELETE",
  path: string,
  body: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  return request(method, path, body);
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { accept: "application/json" } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { accept: "application/json", "content-type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(addressOf(path), init);
  } catch (error) {
    throw new RequestError("The server does not answer.", "Check that it is still running.", null, {
      cause: error,
    });
  }
  if (!response.ok) throw await refusal(response);
  const text = await response.text();
  // A cast, because both sides compile the same declaration.
  return (text === "" ? null : JSON.parse(text)) as T;
}

async function refusal(response: Response): Promise<RequestError> {
  const text = await response.text();
  const problem = parsed(text);
  if (problem !== null) {
    return new RequestError(problem.error.message, problem.error.hint, response.status);
  }
  return new RequestError(
    `The server answered ${response.status} ${response.statusText}.`,
    "See the server's log for the reason.",
    response.status,
  );
}

function parsed(text: string): ApiProblem | null {
  try {
    const value: unknown = JSON.parse(text);
    // Only the parts that are needed to read the message are checked.
    return typeof value === "object" && value !== null && "error" in value
      ? (value as ApiProblem)
      : null;
  } catch {
    return null;
  }
}
