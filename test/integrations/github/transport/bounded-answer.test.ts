/** The limit of an answer's size. */
import { expect, test } from "vitest";
import {
  ANSWER_LIMIT,
  AnswerTooLargeError,
  boundedAnswer,
  isTooLarge,
} from "../../../../src/integrations/github/transport/bounded-answer.ts";

const MEBIBYTE = new Uint8Array(1024 * 1024);

/** An answer of so many bytes, in parts, as the network sends it. */
function anAnswer(bytes: number): Response {
  let left = bytes;
  return new Response(
    new ReadableStream<Uint8Array>({
      pull(controller) {
        const part = MEBIBYTE.subarray(0, Math.min(left, MEBIBYTE.length));
        left -= part.length;
        if (part.length === 0) controller.close();
        else controller.enqueue(part);
      },
    }),
    { status: 203, statusText: "Almost", headers: { etag: "e" } },
  );
}

async function sizeOf({ body }: Response): Promise<number> {
  if (body === null) return 0;
  let bytes = 0;
  for await (const part of body) bytes += part.byteLength;
  return bytes;
}

test("an answer is read up to its last byte, with its status and headers", async () => {
  const answer = boundedAnswer(anAnswer(ANSWER_LIMIT));
  expect([answer.status, answer.statusText, answer.headers.get("etag")]).toEqual([
    203,
    "Almost",
    "e",
  ]);
  expect(await sizeOf(answer)).toBe(ANSWER_LIMIT);
});

test("an answer with one byte more fails, and says why", async () => {
  const failure: unknown = await sizeOf(boundedAnswer(anAnswer(ANSWER_LIMIT + 1))).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(AnswerTooLargeError);
  expect(failure).toMatchObject({
    name: "AnswerTooLargeError",
    message: "the answer has more than 33554432 bytes",
  });
  expect(isTooLarge(new Error("fetch failed", { cause: failure }))).toBe(true);
  expect(isTooLarge(new Error("fetch failed", { cause: "too large" }))).toBe(false);
  expect(isTooLarge("too large")).toBe(false);
});

test("an answer without a body, or of a class that has its text already, stays as it is", () => {
  class Whole extends Response {}
  for (const answer of [new Response(null, { status: 204 }), new Whole("text")]) {
    expect(boundedAnswer(answer)).toBe(answer);
  }
});
