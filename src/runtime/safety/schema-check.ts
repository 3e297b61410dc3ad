/**
 * Whether this process may work on the database as it is now. Another generation of code or mappings
 * may have migrated it meanwhile: a worker of the old one then stops, says so, and goes on by itself
 * should it fit again.
 */
import { type Instant, SECOND } from "../../model/instant.ts";
import type { Misfit } from "../../store/database/index.ts";
import type { Services } from "../services/index.ts";

/** Asked at most so often, however busy the loops are. */
const ASK_AGAIN = SECOND;

export function watchFitness({
  store,
  clock,
  log,
}: Pick<Services, "store" | "clock" | "log">): () => Promise<boolean> {
  let asked: { readonly at: Instant; readonly answer: Promise<Misfit | null> } | null = null;
  let told: Misfit["code"] | null = null;

  async function ask(): Promise<Misfit | null> {
    const now = clock.now();
    if (asked === null || Math.abs(now - asked.at) >= ASK_AGAIN) {
      asked = { at: now, answer: store.misfit() };
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
    if (misfit === null) log.info({}, "code, mappings and schema fit again; working on");
    else log.error({ ...misfit }, "this worker has stopped claiming");
    return misfit === null;
  };
}
