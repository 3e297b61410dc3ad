/** Bodies under way share one budget, whoever sends them and however. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { BudgetSpentError, createByteBudget } from "../../src/server/protocol/byte-budget.ts";
import { calledFrom } from "../../src/server/access/caller.ts";
import { createTandem, type Tandem } from "../../src/server/tandem.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { SAMPLE_TABLES } from "../../src/demo/sample-tables.ts";
import { createMemoryDatabase } from "../../src/store/memory/memory-database.ts";

const HERE = calledFrom("127.0.0.1");
const MEGABYTE = 1024 * 1024;
let tandem: Tandem;
const clock = new VirtualClock();

beforeEach(async () => {
  tandem = await createTandem(sampleConfig(createMemoryDatabase({ tables: SAMPLE_TABLES })), {
    clock,
  });
});
afterEach(() => tandem.stop());

/** A sender that announces so many bytes, or none, and goes on when it is told to. */
function aBody(announced: number | null) {
  let push: (bytes: number) => void = () => undefined;
  let end: () => void = () => undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      push = (bytes) => controller.enqueue(new Uint8Array(bytes));
      end = () => controller.close();
    },
  });
  const headers = {
    "content-type": "application/json",
    ...(announced === null ? {} : { "content-length": String(announced) }),
  };
  const init = { method: "POST", body: stream, headers, duplex: "half" as const };
  const answer = tandem.fetch(new Request("http://localhost/webhooks/github", init));
  return { answer, push: (bytes: number) => push(bytes), end: () => end() };
}

it("a body that does not fit is refused before it is read, and fits again when others have ended", async () => {
  const first = aBody(25 * MEGABYTE);
  const second = aBody(25 * MEGABYTE);
  const refused = await aBody(25 * MEGABYTE).answer;
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("5");
  expect(await refused.json()).toEqual({
    error: {
      code: "receiver_full",
      message: "current requests use all memory that is reserved for request bodies",
      hint: expect.stringContaining("The next poll finds the change of this delivery") as string,
    },
  });

  const streamed = aBody(null);
  streamed.push(20 * MEGABYTE);
  expect((await streamed.answer).status).toBe(503);
  const metrics = await tandem.fetch(new Request("http://localhost/metrics"), HERE);
  expect(await metrics.text()).toContain(
    'tandem_webhooks_refused_total{integration="github",code="receiver_full"} 2',
  );

  for (const { push, end, answer } of [first, second]) {
    push(25 * MEGABYTE);
    end();
    expect((await answer).status).toBe(400);
  }
  const fits = aBody(25 * MEGABYTE);
  fits.push(25 * MEGABYTE);
  fits.end();
  expect((await fits.answer).status).toBe(400);
});

it("large bodies that fill what they may have leave room for small ones", async () => {
  const large = [aBody(25 * MEGABYTE), aBody(25 * MEGABYTE), aBody(6 * MEGABYTE)];
  expect((await aBody(14 * MEGABYTE).answer).status).toBe(503);
  const streamed = aBody(null);
  streamed.push(2 * MEGABYTE);
  expect((await streamed.answer).status).toBe(503);

  const small = aBody(20_000);
  small.push(20_000);
  small.end();
  expect((await small.answer).status).toBe(400);
  for (const { push, end, answer } of large) {
    push(1);
    end();
    await answer;
  }
});

it("a body that comes too slowly gives its room back", async () => {
  const slow = [aBody(25 * MEGABYTE), aBody(25 * MEGABYTE)];
  await expect.poll(() => clock.nextTimer()).not.toBeNull();
  clock.advance(10_000);
  for (const { answer } of slow) {
    const refusal = await answer;
    expect(refusal.status).toBe(408);
    expect(await refusal.json()).toMatchObject({
      error: { code: "body_too_slow", hint: "The next poll finds the change of this delivery." },
    });
  }
  const metrics = await tandem.fetch(new Request("http://localhost/metrics"), HERE);
  expect(await metrics.text()).toContain(
    'tandem_webhooks_refused_total{integration="github",code="body_too_slow"} 2',
  );
  const fits = aBody(25 * MEGABYTE);
  fits.push(25 * MEGABYTE);
  fits.end();
  expect((await fits.answer).status).toBe(400);
});

it("a request that was ended takes no more", () => {
  const hold = createByteBudget(10).open();
  hold.add(10);
  hold.release();
  expect(() => hold.add(1)).toThrow(BudgetSpentError);
});
