/** The Postgres store, on Postgres and on PGlite, against what every store must do. */
import { describeOnEachDatabase } from "../harness/databases.ts";
import { openStore } from "./opened-store.ts";
import { storeConformance } from "./store-conformance.ts";

describeOnEachDatabase("the store", (open) => {
  storeConformance(async (options) => openStore(await open(), options));
});
