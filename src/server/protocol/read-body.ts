import type { ByteHold } from "./byte-budget.ts";

/**
 * Reads a body up to a limit; `null` if it is larger.
 *
 * A body with an announced length is read as a whole, because HTTP enforces the length: a web stream costs
 * more than the rest of a webhook's processing. Other bodies are streamed and counted.
 *
 * @throws BudgetSpentError if `hold` has no room for it.
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
