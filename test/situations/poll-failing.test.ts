/** A connection whose polls fail says so, and not that it was polled a moment ago. */
import { expect, it } from "vitest";
import { pollDue } from "../../src/runtime/poll.ts";
import { formatInstant } from "../../src/model/instant.ts";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { givenSampleTandem } from "../harness/sample-tandem.ts";

describeOnEachDatabase("a connection whose polls fail", (open) => {
  it("says why, and when one last came through; and no more once one does", async () => {
    const app = await givenSampleTandem(await open());
    const connection = async () => (await app.status()).connections[0];
    const metric = async () => {
      const response = await app.tandem.fetch(new Request("http://localhost/metrics"));
      return /^tandem_connection_poll_failing\{.*\} (\d)$/m.exec(await response.text())?.[1];
    };
    expect(await connection()).toMatchObject({ polled_at: null, poll_error: null });
    await pollDue(app.tandem.services, 60_000);
    const polledAt = formatInstant(app.clock.now());
    expect(await connection()).toMatchObject({
      polled_at: polledAt,
      poll_attempted_at: polledAt,
      poll_error: null,
    });
    expect(await metric()).toBe("0");

    app.github.faults.api.forbidden = true;
    await app.advance(120_000);
    await pollDue(app.tandem.services, 60_000);
    const failed = await connection();
    expect(failed).toMatchObject({
      polled_at: polledAt,
      poll_attempted_at: formatInstant(app.clock.now()),
    });
    expect(failed?.poll_error).toEqual(expect.any(String));
    expect(await metric()).toBe("1");

    app.github.faults.api.forbidden = false;
    await app.advance(120_000);
    await pollDue(app.tandem.services, 60_000);
    expect(await connection()).toMatchObject({
      polled_at: formatInstant(app.clock.now()),
      poll_error: null,
    });
  });
});
