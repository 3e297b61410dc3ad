/** The simulator's own `Response`, held to what the platform's does with the same content. */
import { describe, expect, it } from "vitest";
import { TextResponse } from "../../../src/testing/github/text-response.ts";

const INIT = { status: 201, headers: { "content-type": "application/json", "x-one": "1" } };
const TEXT = '{"title":"Grüße"}';
const KINDS: readonly (readonly [string, (text: string | null) => Response])[] = [
  ["the platform's response", (text) => new Response(text, INIT)],
  ["the simulator's response", (text) => new TextResponse(text, INIT)],
];

describe.each(KINDS)("%s", (_name, respond) => {
  it("tells its status and headers", () => {
    const response = respond(TEXT);
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.ok]).toEqual([201, true]);
    expect([...response.headers]).toEqual([
      ["content-type", "application/json"],
      ["x-one", "1"],
    ]);
  });

  it.each<readonly [string, (response: Response) => Promise<unknown>, unknown]>([
    ["text", (response) => response.text(), TEXT],
    ["JSON", (response) => response.json(), { title: "Grüße" }],
    ["bytes", async (response) => Buffer.from(await response.arrayBuffer()).toString(), TEXT],
    ["a blob", async (response) => (await response.blob()).text(), TEXT],
    ["a stream", (response) => new Response(response.body).text(), TEXT],
    ["a copy", (response) => response.clone().text(), TEXT],
  ])("is read as %s, and then no more", async (_as, read, expected) => {
    const response = respond(TEXT);
    // A look at whether there is a body does not read it.
    expect(response.body).not.toBeNull();
    expect(response.bodyUsed).toBe(false);
    const isCopied = _as === "a copy";
    expect(await read(response)).toEqual(expected);
    expect(response.bodyUsed).toBe(!isCopied);
    if (isCopied) return;
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(() => response.clone()).toThrow(TypeError);
  });

  it("without a body is an empty text, as often as it is read", async () => {
    const response = respond(null);
    expect(response.body).toBeNull();
    expect([await response.text(), await response.text()]).toEqual(["", ""]);
  });
});
