/** Every row of the bench, in the order of the report. */
import type { Row } from "./harness/bench.ts";
import { BACKFILL } from "./rows/backfill.ts";
import { BULK } from "./rows/bulk.ts";
import { CAPTURE } from "./rows/capture.ts";
import { DELIVERIES } from "./rows/deliveries.ts";
import { HISTORY } from "./rows/history.ts";
import { ISOLATION } from "./rows/isolation.ts";
import { LATENCY } from "./rows/latency.ts";
import { OUTBOUND } from "./rows/outbound.ts";
import { PEERS } from "./rows/peers.ts";
import { RECEIVER } from "./rows/receiver.ts";
import { SOAK } from "./rows/soak.ts";
import { START } from "./rows/start.ts";

const ALL: readonly Row[] = [
  ...DELIVERIES,
  ...PEERS,
  ...HISTORY,
  ...LATENCY,
  ...RECEIVER,
  ...CAPTURE,
  ...OUTBOUND,
  ...BACKFILL,
  ...ISOLATION,
  ...SOAK,
  ...START,
  ...BULK,
];

// Rows from one piece of work stand together above, so sort them.
export const ROWS: readonly Row[] = ALL.toSorted((a, b) => a.id - b.id);
