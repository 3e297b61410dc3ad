/** Rows 3 and 4: the same work as rows 1 and 4, with queues that a team might use instead. */
import { peerEntry } from "../contenders/peer.ts";
import type { Row } from "../harness/bench.ts";
import type { Spread } from "../harness/work.ts";
import type { PeerName } from "../peers/peers.ts";
import { rateOf } from "./deliveries.ts";

/** Peers that no row names, for the reader's information. */
const OTHERS = [
  "pg-boss group",
  "graphile localQueue",
  "BullMQ",
  "DBOS partitions",
] satisfies readonly PeerName[];

export const PEERS: readonly Row[] = [
  {
    id: 3,
    name: "edits of 1,000 issues, beside pg-boss strict fifo",
    of: rateOf("product", "uniform"),
    to: rateOfPeer("pg-boss strict fifo", "uniform"),
    against: "pg-boss, key_strict_fifo",
    goal: 4,
    goalIs: "least",
    beside: OTHERS.map((peer) => peerEntry(peer, "uniform")),
  },
  {
    id: 3,
    name: "edits of 1,000 issues, beside graphile-worker queueName",
    of: rateOf("product", "uniform"),
    to: rateOfPeer("graphile queueName", "uniform"),
    against: "graphile-worker, queueName",
    goal: 10,
    goalIs: "least",
  },
  {
    id: 4,
    name: "9 of 10 edits on 10 issues, beside pg-boss strict fifo",
    of: rateOf("product", "hot"),
    to: rateOfPeer("pg-boss strict fifo", "hot"),
    against: "pg-boss, key_strict_fifo",
    goal: 10,
    goalIs: "least",
    beside: [...OTHERS, "graphile queueName" as const].map((peer) => peerEntry(peer, "hot")),
  },
];

function rateOfPeer(peer: PeerName, spread: Spread) {
  return { entry: peerEntry(peer, spread), figure: "perSecond" };
}
