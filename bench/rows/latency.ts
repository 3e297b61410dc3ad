/** Rows 6 and 7: the time for one webhook, under some load, and on an idle machine. */
import type { Row } from "../harness/bench.ts";
import { latencyEntry } from "../http/latency.ts";
import { wakeUpEntry } from "../http/wake-up.ts";

const tandem = latencyEntry("tandem");
const direct = latencyEntry("direct");
const AGAINST_DIRECT =
  "a bare node:http server that verifies the signature and writes all of it in one transaction";
const AGAINST_LISTEN = "LISTEN and NOTIFY written by hand, jobs taken with SKIP LOCKED";

export const LATENCY: readonly Row[] = [
  {
    id: 6,
    name: "from a webhook to its record, 200 a second, the median",
    of: { entry: tandem, figure: "p50" },
    to: { entry: direct, figure: "p50" },
    against: AGAINST_DIRECT,
    goal: 2.5,
    goalIs: "most",
  },
  {
    id: 6,
    name: "from a webhook to its record, 200 a second, the slowest hundredth",
    of: { entry: tandem, figure: "p99" },
    to: { entry: direct, figure: "p99" },
    against: AGAINST_DIRECT,
    goal: 3,
    goalIs: "most",
  },
  {
    id: 7,
    name: "wake-up of an idle worker in the receiver's process",
    of: { entry: wakeUpEntry("tandem", "one process"), figure: "p50" },
    to: { entry: wakeUpEntry("listening", "one process"), figure: "p50" },
    against: AGAINST_LISTEN,
    goal: 1,
    goalIs: "most",
  },
  {
    id: 7,
    name: "wake-up of an idle worker in another process",
    of: { entry: wakeUpEntry("tandem", "two processes"), figure: "p50" },
    to: { entry: wakeUpEntry("listening", "two processes"), figure: "p50" },
    against: AGAINST_LISTEN,
    goal: 1.5,
    goalIs: "most",
  },
];
