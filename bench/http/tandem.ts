/** Tandem as `tandem start` runs it: one sample configuration, its receiver over HTTP, its worker. */
import type pg from "pg";
import { pino } from "pino";
import { startHttpServer } from "../../src/cli/context/http-server.ts";
import { github } from "../../src/integrations/github/index.ts";
import { createTandem, type Tandem } from "../../src/server/tandem.ts";
import { TASKS } from "../contenders/contender.ts";
import { syncedTasks } from "../contenders/synced-tasks.ts";
import { REPOSITORY_ID } from "../harness/work.ts";
import { wallMillis } from "./clock.ts";
import type { Part } from "./running.ts";
import { SECRET } from "./webhook.ts";

const HOUR_MS = 3_600_000;
export const TANDEM_PATH = "/webhooks/github";

export interface TandemInput {
  readonly url: string;
  readonly receives: boolean;
  readonly works: boolean;
  /** Whether there is an API, at the account's address. Default: no request to an API is allowed. */
  readonly hasApi?: boolean;
}

export interface TandemLast {
  /** When the processing of a delivery began, by its edit's time. */
  readonly began: Readonly<Record<string, number>>;
}

export const tandemPart: Part<TandemInput, { readonly port: number }, TandemLast> = async (
  input,
) => {
  const began: Record<string, number> = {};
  const adapter = github();
  const tandem = await openTandem(input, {
    ...adapter,
    translate(delivery) {
      began[timeOf(delivery.payload)] = wallMillis();
      return adapter.translate(delivery);
    },
  });
  const server = input.receives
    ? await startHttpServer(tandem.fetch, { host: "127.0.0.1", port: 0 })
    : undefined;
  if (input.works) tandem.startWorker({ pollMillis: 24 * HOUR_MS });
  return {
    opened: { port: Number(new URL(server?.url ?? "http://nowhere:0").port) },
    async stop() {
      await server?.close();
      await tandem.stop();
      return { began };
    },
  };
};

/** The time of the edit in a webhook, which is unique. */
export function timeOf(payload: string): string {
  return /"updated_at":"([^"]+)"/.exec(payload)?.[1] ?? "";
}

type Adapter = ReturnType<typeof github>;

export function openTandem(
  { url, hasApi = false }: Pick<TandemInput, "url" | "hasApi">,
  integration: Adapter = github(),
): Promise<Tandem> {
  const nothing = (asked: unknown) =>
    Promise.reject(new Error(`the bench has no API for ${String(asked)}`));
  return createTandem(syncedTasks(url, integration), {
    ...(hasApi ? {} : { fetch: nothing }),
    log: pino({ level: "warn", base: null }),
  });
}

/** Creates the app's table, the schema, and the repository of the work. */
export async function setUpTandem(pool: pg.Pool, url: string, api?: string): Promise<void> {
  await pool.query(TASKS);
  const tandem = await openTandem({ url });
  try {
    await tandem.migrate();
    const { directory } = tandem.services.store;
    const accountId = await directory.saveAccount({
      integration: "github",
      name: "bench",
      credentials: { token: "ghp_bench", ...(api === undefined ? {} : { baseUrl: api }) },
      webhookSecrets: [SECRET],
    });
    await directory.updateAccount(accountId, { identity: { id: "1", login: "bench" } });
    await directory.saveConnection({
      accountId,
      integration: "github",
      containerId: String(REPOSITORY_ID),
      containerName: "acme/site",
      scope: "1",
    });
    // Keeps polls and sweeps out of the measured time.
    await pool.query(
      "update tandem.connections set polled_at = now(), swept_at = now(), local_swept_at = now()",
    );
  } finally {
    await tandem.stop();
  }
}
