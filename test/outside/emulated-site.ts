/** The sample app on a PGlite of its own, connected to a repository of the emulated GitHub. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import { createAdaptorServer } from "@hono/node-server";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import { createTandem } from "../../src/server/tandem.ts";
import {
  botToken,
  type EmulatedGitHub,
  OWNER,
  type RepositoryOfAPerson,
} from "./emulated-github.ts";

const SECRET = "a webhook secret";
const HOUR_MS = 60 * 60_000;
const POLL_MS = 500;

/** How news of the repository comes in; the other way is switched off. */
export type Way = "webhooks" | "polling";

export interface EmulatedSite {
  readonly there: RepositoryOfAPerson;
  readonly sql: <T>(text: string, params?: readonly unknown[]) => Promise<readonly T[]>;
  backfill(): Promise<void>;
  /** Compares the ids of both sides, which finds deletions that no poll and no webhook reports. */
  readonly sweep: () => Promise<void>;
  /** Events that ended badly, and polls that fail, in words. */
  troubles(): Promise<readonly string[]>;
  /** The reasons why backfills wait, in words. */
  waits(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** @param prepare what is there before Tandem is connected */
export async function openEmulatedSite(
  github: EmulatedGitHub,
  repository: string,
  way: Way,
  prepare: (site: Pick<EmulatedSite, "there" | "sql">) => Promise<void> = () => Promise.resolve(),
): Promise<EmulatedSite> {
  const database = new PGlite();
  await database.exec(`${SAMPLE_SCHEMA}; insert into projects (name) values ('Site');
    insert into users (name, github_login) values ('Mona', 'mona')`);
  const environment = { GITHUB_TOKEN: botToken(repository), HOOK_SECRET: SECRET };
  const tandem = await createTandem(sampleConfig(database), { environment });
  const server = createAdaptorServer({ fetch: (request) => tandem.fetch(request) });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const there = github.inRepository(repository);
  async function sql<T>(text: string, params: readonly unknown[] = []): Promise<readonly T[]> {
    return (await database.query<T>(text, [...params])).rows;
  }
  await prepare({ there, sql });
  await tandem.migrate();
  const connection = await tandem.connect({
    account: {
      name: "acme",
      integration: "github",
      credentials: { token: { env: "GITHUB_TOKEN" }, baseUrl: github.url },
      webhookSecret: { env: "HOOK_SECRET" },
    },
    container: `${OWNER}/${repository}`,
    scope: "1",
  });
  if (way === "webhooks") {
    // A server that listens on a port has an address with one.
    const { port } = server.address() as AddressInfo;
    const address = `http://127.0.0.1:${String(port)}/webhooks/github`;
    await github.addHook(repository, address, SECRET);
  }
  tandem.startWorker({
    name: way,
    pollMillis: way === "polling" ? POLL_MS : HOUR_MS,
    leaseMillis: 5_000,
  });
  return {
    there,
    sql,
    backfill: () => tandem.backfill(connection.id),
    sweep: () => tandem.sweepNow(connection.id),
    troubles: async () => {
      const rows = await sql<{ said: string }>(`
        select direction || ' ' || state || ' ' || reason || ': ' || coalesce(error->>'message', '') as said
        from tandem.events where state = 'errored'
        union all
        select 'poll of ' || container_name || ': ' || poll_error::text from tandem.connections
        where poll_error is not null`);
      return rows.map(({ said }) => said);
    },
    waits: async () => {
      const rows = await sql<{ said: string }>(`
        select resource_type || ': ' || (progress->>'waitsFor') as said from tandem.backfills
        where finished_at is null and progress->>'waitsFor' is not null`);
      return rows.map(({ said }) => said);
    },
    async close() {
      await tandem.stop();
      server.close();
      await database.close();
    },
  };
}
