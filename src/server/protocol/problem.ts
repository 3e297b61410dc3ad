/** Refusals: each one names the problem and the remedy. */
import type { z } from "zod";
import { type ActReference, type Hint, hint, sayHint } from "../../model/acts/hint.ts";
import type { ApiProblem } from "./api-types.ts";

export function problem(status: number, code: string, message: string, remedy: Hint): Response {
  const parts = typeof remedy === "string" ? {} : { hint_parts: remedy };
  const body: ApiProblem = {
    error: { code, message, hint: sayHint(remedy, "request"), ...parts },
  };
  return Response.json(body, { status });
}

/** A query with known parameters and invalid values. */
export function badQuery(error: z.ZodError, example: ActReference): Response {
  const message = error.issues.map((issue) => `${issue.path.join()}: ${issue.message}`).join("; ");
  return problem(400, "bad_query", message, hint`Example: ${example}`);
}
