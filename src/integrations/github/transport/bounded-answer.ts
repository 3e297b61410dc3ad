/** Responses are read up to a limit, counted after decompression: a small gzip can hold gigabytes. */

/** A page of 100 comments of the greatest length, in characters of four bytes, has 26 MB. */
export const ANSWER_LIMIT = 32 * 1024 * 1024;

export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";

  constructor() {
    super(`the answer has more than ${String(ANSWER_LIMIT)} bytes`);
  }
}

/** The same response with a body that fails at the limit. */
export function boundedAnswer(response: Response): Response {
  const { body, status, statusText, headers } = response;
  // A subclass has its text in memory already; only the network sends a stream of unknown length.
  if (Object.getPrototypeOf(response) !== Response.prototype || body === null) return response;
  let left = ANSWER_LIMIT;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      left -= chunk.byteLength;
      if (left < 0) throw new AnswerTooLargeError();
      controller.enqueue(chunk);
    },
  });
  return new Response(body.pipeThrough(limit), { status, statusText, headers });
}

/** Whether a failure means a body beyond the limit. Readers wrap it in errors of their own. */
export function isTooLarge(cause: unknown): boolean {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (error instanceof AnswerTooLargeError) return true;
  }
  return false;
}
