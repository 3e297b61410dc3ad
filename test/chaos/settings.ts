/** The ground of a site: its database and the way there, and how its processes' clocks go. */
import { fileURLToPath } from "node:url";
import type { FaultProxy } from "../harness/fault-proxy.ts";
import { type PgBouncer, startPgBouncer } from "../harness/pgbouncer.ts";
import {
  type PostgresNode,
  startPostgresIn,
  startPostgresNode,
} from "../harness/postgres-server.ts";
import {
  type ReplicatedPostgres,
  startReplicatedPostgres,
} from "../harness/replicated-postgres.ts";
import { openSmallDisk, type SmallDisk } from "../harness/small-disk.ts";

export type Setting =
  | "plain"
  | "synchronous replica"
  | "asynchronous replica"
  | "small disk"
  | "pooler"
  | "wrong clocks";

export interface Ground {
  /** The server that takes writes. */
  readonly primary: () => PostgresNode;
  readonly replicated: ReplicatedPostgres | null;
  readonly disk: SmallDisk | null;
  readonly pooler: PgBouncer | null;
  /** By how much the clock of each process is wrong; `null`: they are right. */
  readonly wrongClocks: Readonly<Record<ProcessName, number>> | null;
  readonly close: () => Promise<void>;
}

export type ProcessName = "server" | "one" | "two";

/** Here a setting cannot be had: its faults are skipped. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

const DISK_MEGABYTES = 320;
const HOUR_MS = 3_600_000;
const NOTHING = { replicated: null, disk: null, pooler: null, wrongClocks: null };

/** @param network Led to the database, and along with it. */
export async function openGround(setting: Setting, network: FaultProxy): Promise<Ground> {
  switch (setting) {
    case "plain":
    case "wrong clocks": {
      const node = await startPostgresNode(undefined);
      network.leadTo(node.port);
      const wrongClocks = setting === "plain" ? null : { server: 0, one: HOUR_MS, two: -HOUR_MS };
      return { ...NOTHING, wrongClocks, primary: () => node, close: () => node.stop() };
    }
    case "synchronous replica":
    case "asynchronous replica": {
      const replicated = await startReplicatedPostgres((port) => {
        network.leadTo(port);
      });
      if (setting === "synchronous replica") await replicated.replicateSynchronously();
      const { primary } = replicated;
      return { ...NOTHING, replicated, primary, close: () => replicated.close() };
    }
    case "small disk": {
      const disk = available(await openSmallDisk(DISK_MEGABYTES));
      try {
        const node = await startPostgresIn(disk.folder);
        network.leadTo(node.port);
        return {
          ...NOTHING,
          disk,
          primary: () => node,
          async close() {
            await node.stop();
            await disk.close();
          },
        };
      } catch (error) {
        await disk.close();
        throw error;
      }
    }
    case "pooler": {
      const node = await startPostgresNode(undefined);
      try {
        const pooler = available(await startPgBouncer(node));
        network.leadTo(pooler.port);
        return {
          ...NOTHING,
          pooler,
          primary: () => node,
          async close() {
            await pooler.close();
            await node.stop();
          },
        };
      } catch (error) {
        await node.stop();
        throw error;
      }
    }
  }
}

function available<T extends object>(opened: T | string): T {
  if (typeof opened === "string") throw new UnavailableError(opened);
  return opened;
}

/** The variables that make a process's clock wrong. */
export function clockEnvironment(
  { wrongClocks }: Ground,
  process: ProcessName,
): Readonly<Record<string, string>> {
  if (wrongClocks === null) return {};
  const module = fileURLToPath(new URL("skewed-clock.mjs", import.meta.url));
  return {
    NODE_OPTIONS: `--import=${module}`,
    TANDEM_TEST_CLOCK_AHEAD_MS: String(wrongClocks[process]),
  };
}
