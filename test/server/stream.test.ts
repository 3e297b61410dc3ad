/** The dashboard's stream sends everything in sight first, and then only changes. */
import { expect, it } from "vitest";
import type { ApiEvent } from "../../src/server/protocol/api-types.ts";
import { describeOnOneDatabase } from "../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

/** A stream of the ledger as the page reads it. */
async function openStream(app: SampleTandem) {
  const answer = await app.tandem.fetch(new Request("http://localhost/api/stream"));
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  /** The changes that the next look at the ledger sends, after so long. */
  const next = async (millis: number): Promise<string> => {
    const said = reader.read();
    await app.advance(millis);
    return new TextDecoder().decode((await said).value);
  };
  return { headers: Object.fromEntries(answer.headers), next, close: () => reader.cancel() };
}

/** The states of the events that a part of the stream tells, and whether it tells a status. */
function toldBy(part: string) {
  const messages = [...part.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)];
  const events = messages.flatMap(([, name, data = ""]) =>
    name === "ledger" ? [JSON.parse(data) as ApiEvent] : [],
  );
  return {
    events: events.map(({ record_id, state }) => `${record_id ?? ""} ${state}`),
    status: messages.some(([, name]) => name === "status"),
  };
}

describeOnOneDatabase("the stream of the ledger", (open) => {
  it("tells what is in sight, then what changes, and between them that it lives", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "One" });
    await app.settle();
    const stream = await openStream(app);
    expect(stream.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    const first = await stream.next(0);
    expect(toldBy(first)).toEqual({ events: ["1 completed", "1 duplicate"], status: true });
    // By the server's time the page says how long ago things were.
    expect(first).toMatch(/event: status\ndata: \{"now":"2026-[^"]+Z"/);

    // A webhook that arrives between the reads would change the status.
    app.github.faults.webhooks.drop = 1;
    await app.addTask({ title: "Two" });
    await app.tandem.settle();
    const news = toldBy(await stream.next(400));
    // The first task's event is as it was: it is not told again.
    expect(news.events).toEqual(["2 completed"]);
    expect(await stream.next(15_000)).toBe(":\n\n");
    await stream.close();
  });
});
