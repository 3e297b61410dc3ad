/** The rate at which a receiver answers signed webhooks that it has stored. */
import type { Entry, Outcome, Setting } from "../harness/bench.ts";
import { withOwnDatabase } from "../harness/own-database.ts";
import { forgetStatements, statementsOf } from "../harness/statements.ts";
import { installPeers } from "../peers/install.ts";
import { FACTS } from "../contenders/limit.ts";
import { fullLoad } from "./load.ts";
import { withParts } from "./part.ts";
import { setUpTandem, TANDEM_PATH } from "./tandem.ts";

export type Receiver = "tandem" | "insert" | "probot";

const CONNECTIONS = 64;
const BYTES = 10_240;

export function receiverEntry(receiver: Receiver): Entry {
  return {
    name: `receiver, ${receiver}`,
    async run(setting) {
      if (receiver !== "probot") return receive(setting, receiver);
      const installed = await installPeers((line) => process.stderr.write(`${line}\n`));
      if ("skipped" in installed) return { figures: {}, faults: [], ...installed };
      return receive(setting, receiver);
    },
  };
}

function receive(setting: Setting, receiver: Receiver): Promise<Outcome> {
  return withOwnDatabase(setting.adminUrl, `bench_receiver_${receiver}`, async (database) => {
    const { url, pool, admin } = database;
    const isOurs = receiver === "tandem";
    if (isOurs) await setUpTandem(pool, url);
    else await pool.query(FACTS);
    return withParts(setting, async (start) => {
      const server = isOurs
        ? await start("tandem", { url, receives: true, works: false })
        : await start(receiver, { url });
      await admin.query("checkpoint");
      await forgetStatements(admin);
      const load = await fullLoad({
        ...{ port: server.opened.port, path: TANDEM_PATH },
        ...{ connections: CONNECTIONS, bytes: BYTES },
        ...(setting.quick ? { warmUpMs: 500, millis: 1_500 } : { warmUpMs: 2_000, millis: 8_000 }),
      });
      const { cpu } = await server.stop();
      const table = isOurs ? "tandem.deliveries" : "deliveries";
      const { rows } = await pool.query<{ count: string }>(`select count(*) from ${table}`);
      const stored = Number(rows[0]?.count ?? 0);
      const { perSecond, p50, p99, accepted, refused } = load;
      const faults = Object.entries(refused).map(
        ([status, count]) => `receiver, ${receiver}: ${String(count)} answers ${status}`,
      );
      if (stored !== accepted) {
        faults.push(
          `receiver, ${receiver}: ${String(accepted)} accepted and ${String(stored)} stored`,
        );
      }
      const figures = { perSecond, p50, p99, cpuPerRequest: cpu / accepted };
      return { figures, faults, statements: await statementsOf(pool) };
    });
  });
}
