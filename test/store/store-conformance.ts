/**
 * The store's promises to the runtime, as stories that must hold on any store. A new store is proven
 * by one call; `open` gives a migrated store on a database of its own.
 */
import { accessConformance } from "./access-conformance.ts";
import { actorsConformance } from "./actor-conformance.ts";
import { backfillsConformance } from "./backfill-conformance.ts";
import { capturesConformance } from "./capture-conformance.ts";
import { claimsConformance } from "./claim-conformance.ts";
import { deliveriesConformance } from "./delivery-conformance.ts";
import { directoryConformance } from "./directory-conformance.ts";
import { firstRoundConformance } from "./first-round-conformance.ts";
import { heldRunsConformance } from "./held-run-conformance.ts";
import { hooksConformance } from "./hook-conformance.ts";
import { intentsConformance } from "./intent-conformance.ts";
import { lanesConformance } from "./lane-conformance.ts";
import { laneEventsConformance } from "./lane-event-conformance.ts";
import { linksConformance } from "./link-conformance.ts";
import { misfitConformance } from "./misfit-conformance.ts";
import { movesConformance } from "./move-conformance.ts";
import type { OpenedStore, StoreOptions } from "./opened-store.ts";
import { recordsConformance } from "./record-conformance.ts";
import { redeliveriesConformance } from "./redelivery-conformance.ts";
import { refusalsConformance } from "./refusal-conformance.ts";
import { reservedLanesConformance } from "./reserve-conformance.ts";
import { switchesConformance } from "./switch-conformance.ts";

export function storeConformance(open: (options?: StoreOptions) => Promise<OpenedStore>): void {
  directoryConformance(open);
  lanesConformance(open);
  laneEventsConformance(open);
  switchesConformance(open);
  backfillsConformance(open);
  movesConformance(open);
  intentsConformance(open);
  claimsConformance(open);
  recordsConformance(open);
  capturesConformance(open);
  actorsConformance(open);
  linksConformance(open);
  hooksConformance(open);
  heldRunsConformance(open);
  accessConformance(open);
  deliveriesConformance(open);
  redeliveriesConformance(open);
  refusalsConformance(open);
  reservedLanesConformance(open);
  firstRoundConformance(open);
  misfitConformance(open);
}
