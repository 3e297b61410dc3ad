/** The errors that any request to GitHub can fail with, as the adapter makes them: code, kind and hint. */
import { AnswerTooLargeError } from "../../src/integrations/github/transport/bounded-answer.ts";
import {
  endlessPages,
  foreignAddress,
  malformedAnswer,
  networkError,
  refusalError,
  type Refusal,
} from "../../src/integrations/github/transport/errors.ts";
import { instantFromMillis } from "../../src/model/instant.ts";

const request = { method: "GET", path: "/repositories/42/issues/1" };
const baseUrl = "https://api.github.com";

function refused(status: number, change: Partial<Refusal> = {}) {
  const now = instantFromMillis(Date.UTC(2026, 2, 2));
  const answer = { status, headers: {}, body: {}, baseUrl, now, clockOffset: 0, ...change };
  return refusalError(request, answer);
}

export function errorRows(): readonly (readonly [code: string, kind: string, hint: string])[] {
  const unreachable = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  const location = `${baseUrl}/repositories/43/issues/1`;
  const errors = [
    networkError(request, unreachable, "failed"),
    networkError(request, new Error("read"), "failed"),
    networkError(request, null, "timed_out"),
    networkError(request, null, "aborted"),
    networkError(request, new AnswerTooLargeError(), "failed"),
    malformedAnswer(request, { problem: "it is not JSON", status: 200, requestId: null }),
    refused(404, { body: "<html>" }),
    refused(302),
    foreignAddress(baseUrl, "https://elsewhere.example"),
    endlessPages({ request, status: 200 }, 10),
    refused(408),
    refused(500),
    refused(429),
    refused(401),
    refused(301, { headers: { location } }),
    refused(404),
    refused(410),
    refused(403),
    refused(422),
    refused(400),
  ];
  return errors.map(({ code, kind, hint }) => [code, kind, hint]);
}
