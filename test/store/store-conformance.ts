/**
 * What the runtime relies on, as stories that any store must be able to tell. A new store is proven
 * by one call; `open` gives a migrated store on a database of its own.
 */
import { claimsConformance } from "./claim-conformance.ts";
import { lanesConformance } from "./lane-conformance.ts";
import type { OpenedStore } from "./opened-store.ts";

export function storeConformance(open: () => Promise<OpenedStore>): void {
  lanesConformance(open);
  claimsConformance(open);
}
