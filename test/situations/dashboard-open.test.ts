/** Situation 66: dashboards are open while the database is away. Over real HTTP, as browsers ask. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { type HttpServer, startHttpServer } from "../../src/cli/context/http-server.ts";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { createTandem, type Tandem } from "../../src/server/tandem.ts";
import { describeOnOneDatabase, type TestDatabase } from "../harness/databases.ts";

describeOnOneDatabase("S66 a dashboard is open while the database restarts", (open) => {
  let database: TestDatabase;
  let tandem: Tandem;
  let server: HttpServer;
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);

  beforeEach(async () => {
    database = await open();
    await database.sql(SAMPLE_SCHEMA);
    tandem = await createTandem(sampleConfig(database.pglite ?? database.url ?? ""));
    await tandem.migrate();
    server = await startHttpServer(tandem.fetch, { host: "127.0.0.1", port: 0 });
    process.on("uncaughtException", note).on("unhandledRejection", note);
  });
  afterEach(async () => {
    await server.close();
    await tandem.stop();
    process.off("uncaughtException", note).off("unhandledRejection", note);
    uncaught.length = 0;
  });

  /** The database answers nothing that a dashboard asks; connections to it are ended. */
  async function goAway(): Promise<void> {
    await database.sql("alter table tandem.accounts rename to gone");
    if (database.kind !== "postgres") return;
    await database.sql(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`);
  }
  const comeBack = () => database.sql("alter table tandem.gone rename to accounts");

  async function openDashboard() {
    const leaving = new AbortController();
    const response = await fetch(`${server.url}/api/stream`, { signal: leaving.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    return {
      status: response.status,
      next: async () => new TextDecoder().decode((await reader.read()).value),
      async ended() {
        while (!(await reader.read()).done);
        return true;
      },
      leave: () => leaving.abort(),
    };
  }

  it("S66: open pages are told that it is away and come back; those that leave or come meanwhile end nothing", async () => {
    const [first, second] = [await openDashboard(), await openDashboard()];
    expect(await first.next()).toMatch(/^event: status\n/);
    expect(await second.next()).toMatch(/^event: status\n/);
    await goAway();
    expect(await first.ended()).toBe(true);
    expect(await second.ended()).toBe(true);
    const meanwhile = await openDashboard();
    expect(meanwhile.status).toBe(503);
    meanwhile.leave();
    // As a framework does that ends a request's signal with its answer.
    const ended = new AbortController();
    const request = new Request("http://localhost/api/stream", { signal: ended.signal });
    const here = { incoming: { socket: { remoteAddress: "127.0.0.1" } } };
    expect((await tandem.fetch(request, here)).status).toBe(503);
    ended.abort();

    await comeBack();
    const again = await openDashboard();
    expect(await again.next()).toMatch(/^event: status\n/);
    await database.sql(
      "insert into tandem.accounts (integration, name, credentials) values ('github', 'acme', '{}')",
    );
    expect(await again.next()).toMatch(/^event: status\n.*acme/);
    again.leave();
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(uncaught).toEqual([]);
  });
});
