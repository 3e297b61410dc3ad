/** Refusals: each one names the problem and the remedy. */
import type { z } from "zod";
import type { ApiProblem } from "./api-types.ts";

export function problem(status: number, code: string, message: string, hint: string): Response {
  const body: ApiProblem = { error: { code, message, hint } };
  return Response.json(body, { status });
}

/** A query with known parameters and invalid values. */
export function badQuery(error: z.ZodError, example: string): Response {
  const message = error.issues.map((issue) => `${issue.path.join()}: ${issue.message}`).join("; ");
  return problem(400, "bad_query", message, `Example: ${example}`);
}
