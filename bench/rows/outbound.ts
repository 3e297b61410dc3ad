/** Row 10: edits of the app's rows that are sent to an API. */
import type { Row } from "../harness/bench.ts";
import { burstOutbound, fetchOutbound, tandemOutbound } from "../http/outbound.ts";

export const OUTBOUND: readonly Row[] = [
  {
    id: 10,
    name: "edits sent a second to an API that answers in 20 ms",
    of: { entry: tandemOutbound, figure: "perSecond" },
    to: { entry: fetchOutbound, figure: "perSecond" },
    against: "a bare loop of fetch, as many requests at once",
    goal: 0.9,
    goalIs: "least",
  },
  {
    id: 10,
    name: "calls for a burst of 1,000 edits of one record",
    of: { entry: burstOutbound, figure: "calls" },
    to: null,
    against: "one call, and one for what came while it was on its way",
    goal: 2,
    goalIs: "most",
  },
];
