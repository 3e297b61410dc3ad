/** Row 8: signed webhooks of 10 KB on 64 connections, each answered after it is stored. */
import type { Row } from "../harness/bench.ts";
import { receiverEntry } from "../http/receiving.ts";

const tandem = receiverEntry("tandem");
const insert = receiverEntry("insert");
const probot = receiverEntry("probot");

export const RECEIVER: readonly Row[] = [
  {
    id: 8,
    name: "webhooks received a second, beside Probot",
    of: { entry: tandem, figure: "perSecond" },
    to: { entry: probot, figure: "perSecond" },
    against: "Probot, whose handler inserts each webhook",
    goal: 1.5,
    goalIs: "least",
  },
  {
    id: 8,
    name: "webhooks received a second, beside node:http",
    of: { entry: tandem, figure: "perSecond" },
    to: { entry: insert, figure: "perSecond" },
    against: "a bare node:http server that verifies the signature and inserts each webhook",
    goal: 1.2,
    goalIs: "least",
  },
  {
    id: 8,
    name: "the slowest hundredth of the answers, beside node:http",
    of: { entry: tandem, figure: "p99" },
    to: { entry: insert, figure: "p99" },
    against: "a bare node:http server that verifies the signature and inserts each webhook",
    goal: 1,
    goalIs: "most",
  },
];
