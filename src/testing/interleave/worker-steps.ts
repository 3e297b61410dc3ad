/** The step of a worker in an interleaved history: one run of one of its loops. */
import type { Random } from "../../model/clock.ts";
import {
  DirectorySnapshot,
  type Contact,
  createMicroBatcher,
  type Services,
} from "../../runtime/services/index.ts";
import { advanceBackfills, openBackfills } from "../../runtime/backfill/index.ts";
import { claimDue, processDueBatch, processClaimed } from "../../runtime/worker/index.ts";
import { drainChanges } from "../../runtime/outbound/index.ts";
import { pollConnection, sweepConnection, sweepRecords } from "../../runtime/reconcile/index.ts";
import { translateDeliveries } from "../../runtime/receive/index.ts";
import type { StepKind } from "./plan.ts";

export type WorkKind = Exclude<StepKind, "add" | "settle" | "write" | "remote">;

export interface InterleavedWorker {
  readonly name: string;
  readonly services: Services;
}

const LEASE_MS = 60_000;

/** Represents a worker process, so it shares no snapshot of the directory with another. */
export function interleavedWorker(name: string, services: Services): InterleavedWorker {
  const { store } = services;
  return {
    name,
    services: {
      ...services,
      store: { ...store, directory: { ...store.directory } },
      ...{ answers: createMicroBatcher(), reads: createMicroBatcher() },
    },
  };
}

export async function takeWorkerStep(
  { name, services }: InterleavedWorker,
  kind: WorkKind,
  random: Random,
): Promise<void> {
  const { signal } = new AbortController();
  switch (kind) {
    case "drain":
      await drainChanges(services);
      return;
    case "claim":
      await workOnDue(name, services, random() < 0.3);
      return;
    case "translate":
      await translateDeliveries(services, random() < 0.5 ? name : null);
      return;
    case "local_sweep":
      await atSomeConnection(services, random, (contact) => sweepRecords(services, contact));
      return;
    case "id_sweep":
      await atSomeConnection(services, random, (contact) =>
        sweepConnection(services, contact, signal),
      );
      return;
    case "poll":
      await atSomeConnection(services, random, (contact) =>
        pollConnection(services, contact, signal),
      );
      return;
    case "backfill":
      await atSomeConnection(services, random, async (contact) => {
        await openBackfills(services, contact, random() < 0.5);
        for (let left = 3; left > 0; left -= 1) await advanceBackfills(services, signal, name);
      });
  }
}

async function workOnDue(name: string, services: Services, inBatches: boolean): Promise<void> {
  const book = await DirectorySnapshot.open(services);
  if (inBatches) await processDueBatch(services, book, name, 4);
  const claims = await claimDue(services, book, name, LEASE_MS, 2);
  for (const claimed of claims) {
    await processClaimed(services, claimed, book, new AbortController().signal);
  }
}

async function atSomeConnection(
  services: Services,
  random: Random,
  look: (contact: Contact) => Promise<unknown>,
): Promise<void> {
  const { contacts } = await DirectorySnapshot.open(services);
  const contact = contacts[Math.floor(random() * contacts.length)];
  if (contact !== undefined) await look(contact);
}
