/** Large webhooks do not fill a worker's memory, however many wait. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseKinds } from "../harness/databases.ts";
import { type Fleet, openFleet } from "./fleet.ts";

const DELIVERIES = 40;
const BYTES = 20_000_000;

describe.runIf(databaseKinds.includes("postgres"))("a worker with a small heap", () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await openFleet();
  });
  afterAll(() => fleet.close());

  it("takes 40 deliveries of 20 MB each", async () => {
    // Stored as a receiver does. Their repository is not connected, so only the read is measured.
    await fleet.sql(
      `insert into tandem.deliveries (id, integration, delivery_key, event, payload)
       select gen_random_uuid(), 'github', 'large-' || n, 'issues',
         '{"action":"opened","repository":{"id":999,"full_name":"acme/other"},"text":"'
           || repeat('x', $1::integer) || '"}'
       from generate_series(1, $2::integer) n`,
      [BYTES, DELIVERIES],
    );
    const worker = await fleet.startWorker("small", undefined, {
      NODE_OPTIONS: "--max-old-space-size=512",
    });
    const left = async () => {
      const [row] = await fleet.sql<{ count: number }>(
        "select count(*) from tandem.deliveries where state = 'received'",
      );
      return row?.count;
    };
    await expect.poll(left, { timeout: 120_000, interval: 200 }).toBe(0);
    worker.send("SIGTERM");
    expect(await worker.ended).toBe(0);
  });
});
