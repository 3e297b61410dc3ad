/** The metrics for an operator: waiting work, its delay, and finished work. */
import { expect, it } from "vitest";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_TABLES } from "../../src/demo/sample-tables.ts";
import type { ApiProblem } from "../../src/server/protocol/api-types.ts";
import { createTandem } from "../../src/server/tandem.ts";
import { createMemoryDatabase } from "../../src/store/memory/memory-database.ts";
import { withConflictPolicy } from "../harness/sample-policies.ts";
import { describeOnOneDatabase } from "../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

async function metricsOf(app: SampleTandem): Promise<ReadonlyMap<string, number>> {
  const response = await app.tandem.fetch(new Request("http://localhost/metrics"));
  expect(response.headers.get("content-type")).toContain("text/plain");
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("tandem"));
  return new Map(
    lines.map((line) => {
      const [, name = "", value = ""] = /^(\S+?(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      return [name, Number(value)];
    }),
  );
}

describeOnOneDatabase("metrics", (open) => {
  it("count what was done and what waits, say how late it is, and who may not be asked", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "Sent" });
    await app.settle();
    const before = await metricsOf(app);
    expect(before.get(label("completed", "created_resource"))).toBe(1);
    expect(before.get('tandem_events_live{state="queued"}')).toBe(0);
    expect(before.get('tandem_deliveries{state="received"}')).toBe(0);
    expect(before.get('tandem_due_late_seconds{what="event"}')).toBe(0);
    const account = 'tandem_account_active{integration="github",account="acme",state=';
    expect(before.get(`${account}"active"}`)).toBe(1);
    const connection = `tandem_connection_enabled{integration="github",container="${app.repo}",scope="1",direction=`;
    expect(before.get(`${connection}"inbound"}`)).toBe(1);
    expect(before.get(`${connection}"outbound"}`)).toBe(1);

    app.github.revokeToken("ghs_test");
    await app.addTask({ title: "Waits" });
    await app.tandem.settle();
    await app.addTask({ title: "Not even drained" });
    await app.advance(90_000);
    const after = await metricsOf(app);
    expect(after.get(label("queued", "account_paused"))).toBe(1);
    expect(after.get('tandem_events_live{state="queued"}')).toBe(1);
    expect(after.get("tandem_changes_undrained")).toBe(1);
    // It was to be tried again a minute after it was refused.
    expect(after.get('tandem_due_late_seconds{what="event"}')).toBe(30);
    expect(after.has(`${account}"active"}`)).toBe(false);
    expect(after.get(`${account}"needs_attention"}`)).toBe(0);
  });

  it("count conflicts by the direction of their events", async () => {
    const app = await givenSampleTandem(await open(), withConflictPolicy("resource-wins"));
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Old" });
    await app.settle();
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(1_000);
    await app.editTask((await app.task()).id, { title: "Mine" });
    await app.settle();
    const conflicts = [...(await metricsOf(app))].filter(([name]) => name.includes("conflicts"));
    expect(conflicts).toEqual([['tandem_conflicts_total{direction="inbound"}', 1]]);
  });

  it("count webhooks that were refused by cause, and keep no name that a stranger made up", async () => {
    const app = await givenSampleTandem(await open());
    const post = (path: string, headers: Record<string, string>) => {
      const init = { method: "POST", headers, body: "{}" };
      return app.tandem.fetch(new Request(`http://localhost/webhooks/${path}`, init));
    };
    const send = async (path: string, headers: Record<string, string>) =>
      (await post(path, headers)).status;
    const problemOf = async (path: string, headers: Record<string, string>) =>
      ((await (await post(path, headers)).json()) as ApiProblem).error;
    const signed = {
      "content-type": "application/json",
      "x-github-event": "issues",
      "x-github-delivery": "1",
      "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
    };
    expect(await send("github", signed)).toBe(401);
    expect(await send("github", signed)).toBe(401);
    const large = { ...signed, "content-length": "99999999" };
    expect(await send("github", large)).toBe(413);
    expect(await problemOf("github", large)).toEqual({
      code: "payload_too_large",
      message: "a payload may have at most 26214400 bytes",
      hint: "The next poll finds the change of this delivery.",
    });
    expect(await send("made-up", signed)).toBe(404);
    const refused = [...(await metricsOf(app))].filter(([name]) => name.includes("refused"));
    expect(Object.fromEntries(refused)).toEqual({
      'tandem_webhooks_refused_total{integration="github",code="signature_mismatch"}': 2,
      'tandem_webhooks_refused_total{integration="github",code="payload_too_large"}': 2,
      'tandem_webhooks_refused_total{integration="unknown",code="unknown_integration"}': 1,
    });
  });

  it("name a connection as it is now, and say what of it is off and how old its last poll is", async () => {
    const app = await givenSampleTandem(await open());
    await app.tandem.syncNow();
    await app.settle();
    expect([...(await metricsOf(app)).keys()].join()).toContain('container="acme/site"');
    app.github.renameRepository(app.repo, "www");
    await app.settle();
    await app.tandem.pause(app.connection.id, "release day");
    await app.advance(30_000);
    const about = [...(await metricsOf(app))].filter(([name]) => name.includes("container="));
    const where = 'integration="github",container="acme/www",scope="1"';
    expect(Object.fromEntries(about)).toEqual({
      [`tandem_connection_enabled{${where},direction="inbound"}`]: 0,
      [`tandem_connection_enabled{${where},direction="outbound"}`]: 0,
      [`tandem_connection_poll_failing{${where}}`]: 0,
      [`tandem_connection_polled_seconds{${where}}`]: expect.any(Number) as number,
    });
    const [, age] = about.find(([name]) => name.includes("polled_seconds")) ?? [];
    expect(age).toBeGreaterThanOrEqual(30);
    expect(age).toBeLessThan(120);
  });

  it("count what was received and is still to be translated, and say how late it is", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Received" });
    await app.advance(1_000);
    await app.github.idle();
    await app.advance(20_000);
    const seen = await metricsOf(app);
    expect(seen.get('tandem_deliveries{state="received"}')).toBe(1);
    expect(seen.get('tandem_due_late_seconds{what="event"}')).toBe(0);
    const late = seen.get('tandem_due_late_seconds{what="delivery"}') ?? 0;
    expect(late).toBeGreaterThanOrEqual(20);
    expect(late).toBeLessThan(23);
  });

  it("are for those who may use the API", async () => {
    const database = createMemoryDatabase({ tables: SAMPLE_TABLES });
    const tandem = await createTandem(sampleConfig(database), { environment: {} });
    const from = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });
    const metrics = new Request("http://localhost/metrics");
    expect((await tandem.fetch(metrics, from("192.0.2.7"))).status).toBe(403);
    expect((await tandem.fetch(metrics)).status).toBe(403);
    expect((await tandem.fetch(metrics, from("127.0.0.1"))).status).toBe(200);
    await tandem.stop();
  });
});

function label(state: string, reason: string): string {
  return `tandem_events_total{direction="outbound",state="${state}",reason="${reason}"}`;
}
