/** A connection whose polls fail says so, and not that it was polled a moment ago. */
import { expect, it } from "vitest";
import { pollDue } from "../../../src/runtime/reconcile/poll.ts";
import { addMillis, formatInstant } from "../../../src/model/instant.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog } from "../../harness/kept-log.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("a connection whose polls fail", (open) => {
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
    await app.advance(59_999);
    expect(await pollDue(app.tandem.services, 60_000)).toBe(0);
    await app.advance(1);
    expect(await pollDue(app.tandem.services, 60_000)).toBe(1);
    expect(await connection()).toMatchObject({ polled_at: formatInstant(app.clock.now()) });
    const polledAgainAt = formatInstant(app.clock.now());

    app.github.faults.api.forbidden = true;
    await app.advance(120_000);
    await pollDue(app.tandem.services, 60_000);
    const failed = await connection();
    expect(failed).toMatchObject({
      polled_at: polledAgainAt,
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

  it("since its provider refuses the token: the account says so, and is left alone for a minute", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), undefined, { log });
    await pollDue(app.tandem.services, 60_000);
    app.github.revokeToken("ghs_test");
    await app.advance(120_000);
    await pollDue(app.tandem.services, 60_000);
    const { accounts, connections } = await app.status();
    const why = connections[0]?.poll_error;
    expect(why).toContain("401");
    expect(accounts).toMatchObject([
      {
        state: "needs_attention",
        reason: why,
        paused_until: formatInstant(addMillis(app.clock.now(), 60_000)),
      },
    ]);
    expect(lines).toEqual([
      {
        message: "a poll failed",
        connection: app.connection.id,
        container: app.repo,
        code: expect.any(String) as string,
        error: why,
        hint: expect.any(String) as string,
      },
    ]);

    app.github.clearRequests();
    await app.advance(59_000);
    expect(await pollDue(app.tandem.services, 10_000)).toBe(0);
    expect(app.github.calls({})).toBe(0);
    await app.advance(1_000);
    expect(await pollDue(app.tandem.services, 10_000)).toBe(1);
  });
});
