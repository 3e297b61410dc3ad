/** Runs are checked against the blast radius before they do anything; a run over it is held for a person. */
import { type BlastRadius, weigh } from "../../engine/limits/index.ts";
import type { Outlook, RunKind, AffectedRecord } from "../../model/held-run.ts";
import type { Connection } from "../../model/connection.ts";
import type { ConnectionId } from "../../model/ids.ts";
import type { Services } from "../services/index.ts";

/** How many of the affected records are kept for display. */
export const SAMPLE = 10;

/** Checks whether a run may continue. If not, it is held and shown in `status`. */
export async function checkBlastRadius(
  services: Services,
  connection: Connection,
  kind: RunKind,
  outlook: Outlook,
  sample: readonly AffectedRecord[],
): Promise<boolean> {
  const { heldRuns } = services.store;
  const open = await openRun(services, connection.id, kind);
  const { goes, becomes } = weigh(outlook, radiusOf(services), open);
  if (becomes === "done" || becomes === "withdrawn") {
    if (open !== null) await heldRuns.move(open.id, becomes);
  } else if (becomes !== null && becomes !== "approved") {
    const shown = sample.slice(0, SAMPLE);
    const run = { connectionId: connection.id, kind, state: becomes, outlook, sample: shown };
    await heldRuns.hold(run);
    if (becomes === "held" && open?.state !== "held") {
      services.log.warn(
        { connection: connection.id, container: connection.containerName, kind, ...outlook },
        "a run would do too much and waits for approval",
      );
    }
  }
  return goes;
}

/** The connections with an approved run of this kind that was not executed yet. */
export async function approvedRuns(
  services: Services,
  kind: RunKind,
): Promise<ReadonlySet<ConnectionId>> {
  const open = await services.store.heldRuns.open();
  const approved = open.filter((run) => run.kind === kind && run.state === "approved");
  return new Set(approved.map(({ connectionId }) => connectionId));
}

export function radiusOf({ safety }: Services): BlastRadius | null {
  return safety.blastRadius;
}

async function openRun(services: Services, connection: ConnectionId, kind: RunKind) {
  const open = await services.store.heldRuns.open();
  return open.find((run) => run.connectionId === connection && run.kind === kind) ?? null;
}
