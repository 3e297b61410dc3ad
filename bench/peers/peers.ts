/** All peers by name. */
import { bullmq } from "./bullmq.ts";
import { dbos } from "./dbos.ts";
import { localQueue, queueName } from "./graphile-worker.ts";
import type { Peer } from "./peer.ts";
import { groupConcurrency, strictFifo } from "./pg-boss.ts";

export const PEERS = {
  "pg-boss strict fifo": strictFifo,
  "pg-boss group": groupConcurrency,
  "graphile queueName": queueName,
  "graphile localQueue": localQueue,
  BullMQ: bullmq,
  "DBOS partitions": dbos,
} satisfies Record<string, Peer>;

export type PeerName = keyof typeof PEERS;
