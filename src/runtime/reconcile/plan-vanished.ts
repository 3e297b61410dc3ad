/** Planning for records that were deleted without a captured write. */
import { planVanished } from "../../engine/reconcile/index.ts";
import { recordStanding } from "../../engine/processing/index.ts";
import { isSoftDeleted } from "../../model/mapping.ts";
import { DirectorySnapshot } from "../services/index.ts";
import { capturedAmong } from "../records/index.ts";
import { visitPaired } from "./paired-pages.ts";
import type { PlannedStep, Planner, RecordGoneStep } from "./planner.ts";

const BATCH = 500;

/**
 * Finds the pairings of a connection whose record is deleted. A row that row security may hide does not count, and a
 * pairing whose resource is deleted as well needs no step.
 *
 * @param before The steps planned so far.
 */
export async function planGoneRecords(
  { services, contact, mapping, leaving, young }: Planner,
  before: readonly PlannedStep[],
): Promise<readonly RecordGoneStep[]> {
  const absent = new Set([
    ...young,
    ...before.flatMap((step) => (step.cause === "absent" ? [step.externalId] : [])),
  ]);
  const book = await DirectorySnapshot.open(services);
  const hides = await services.store.transaction((tx) => tx.records.mayHideRows(mapping));
  const steps: RecordGoneStep[] = [];
  await visitPaired(services, contact.connection.id, mapping, BATCH, async (tx, page) => {
    const rows = await tx.records.read(
      mapping,
      page.map(({ recordId }) => recordId),
    );
    const gone = page.filter(({ recordId }) => {
      const row = rows.get(recordId);
      return row === undefined ? !hides : isSoftDeleted(mapping, row);
    });
    const lanes = await tx.lockLanes(gone.map(({ id }) => id));
    const ids = lanes.flatMap(({ recordId }) => recordId ?? []);
    const captured = await capturedAmong(tx, mapping.recordType, ids);
    for (const lane of lanes) {
      const { recordType, recordId, externalId } = lane;
      const context = book.context(lane, tx.now);
      const row = rows.get(recordId ?? "") ?? null;
      if (recordStanding(lane, row, false, context) !== "gone" || leaving.has(lane.id)) continue;
      if (absent.has(externalId ?? "") || captured.has(recordId ?? "")) continue;
      const actions = planVanished(lane, context);
      if (actions === null) continue;
      steps.push({ cause: "record_gone", mapping, recordType, recordId, externalId, actions });
    }
  });
  return steps;
}

/** The resources below which nothing new is admitted, because their records are deleted. */
export function endingParents(
  { mapping }: Pick<Planner, "mapping">,
  before: readonly PlannedStep[],
): ReadonlySet<string> {
  const { parent } = mapping.resource;
  return new Set(
    before.flatMap((step) =>
      step.cause === "record_gone" && step.mapping.resource.type === parent
        ? (step.externalId ?? [])
        : [],
    ),
  );
}
