/**
 * Whether this process's code and mappings fit the database's present schema. A newer version may have migrated it
 * meanwhile: a worker of the old version then stops claiming, logs why, and continues if the schema fits again.
 */
import { type Instant, SECOND } from "../../model/instant.ts";
import type { SchemaMismatch } from "../../store/database/index.ts";
import type { Services } from "../services/index.ts";

/** The least time between two checks, however busy the loops are. */
const ASK_AGAIN = SECOND;

export function watchSchema({
  store,
  clock,
  log,
}: Pick<Services, "store" | "clock" | "log">): () => Promise<boolean> {
  let asked: { readonly at: Instant; readonly answer: Promise<SchemaMismatch | null> } | null =
    null;
  let told: SchemaMismatch["code"] | null = null;

  async function ask(): Promise<SchemaMismatch | null> {
    const now = clock.now();
    if (asked === null || Math.abs(now - asked.at) >= ASK_AGAIN) {
      asked = { at: now, answer: store.schemaMismatch() };
    }
    try {
      return await asked.answer;
    } catch (error) {
      asked = null;
      throw error;
    }
  }

  return async () => {
    const misfit = await ask();
    const code = misfit?.code ?? null;
    if (code === told) return misfit === null;
    told = code;
    if (misfit === null) log.info({}, "code, mappings and schema fit again; this worker continues");
    else log.error({ ...misfit }, "this worker has stopped claiming");
    return misfit === null;
  };
}
