/** Refusals: every one says what is wrong and what to do about it. */
import type { ApiProblem } from "./api-types.ts";

export function problem(status: number, code: string, message: string, hint: string): Response {
  const body: ApiProblem = { error: { code, message, hint } };
  return Response.json(body, { status });
}
