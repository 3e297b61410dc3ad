import type { ByteHold } from "./byte-budget.ts";

/**
 * Reads a body up to a limit; `null` where there is more of it.
 *
 * Where its length is announced, HTTP holds it to that, and it is read in one go: a web stream costs
 * more than all else that is done for a webhook. What is streamed is counted as it comes.
 *
 * @throws BudgetSpentError where `hold` has no room for it.
 */
export async function readBody(
  request: Request,
  limit: number,
  hold?: ByteHold,
): Promise<Uint8Array | null> {
  const announced = request.headers.get("content-length");
  if (announced !== null && /^\d+$/.test(announced)) {
    if (Number(announced) > limit) return null;
    hold?.add(Number(announced));
    const body = new Uint8Array(await request.arrayBuffer());
    return body.byteLength > limit ? null : body;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (request.body === null) return new Uint8Array();
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limit) return null;
    hold?.add(chunk.byteLength);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
