/** Mutants of what is believed of a process's own clock (design, section 4, "Clocks"). */
import type { CodeMutant } from "./mutant.ts";

export const processClocks: readonly CodeMutant[] = [
  {
    id: "read-start-apart",
    rule: "When a read began is told by how long ago that was, for the process's clock may be hours off",
    file: "src/runtime/inbound/stale-read.ts",
    find: "return (now) => instantFromMicros(now - (clock.now() - from));",
    replace: "return () => instantFromMicros(from);",
    killedBy: ["test/situations/safety/process-clock.test.ts"],
  },
  {
    id: "clock-never-back",
    rule: "A process's clock that is set back goes on, or its leases, caches and pauses would last longer",
    file: "src/runtime/services/system-clock.ts",
    find: "shown = Math.max(timeOfDay(), shown + (at - shownAt));",
    replace: "shown = timeOfDay();",
    killedBy: ["test/runtime/services/system-clock.test.ts"],
  },
  {
    id: "pause-measured",
    rule: "A pause lasts as long as the provider asks for, from the database's own time on",
    file: "src/runtime/failures/failures.ts",
    find: "const until = addMillis(now, thrown.retryAfterMs ?? ATTENTION_MS);",
    replace: "const until = addMillis(now, ATTENTION_MS);",
    killedBy: ["test/situations/safety/process-clock.test.ts"],
  },
  {
    id: "budget-reset-own-clock",
    rule: "The time of a budget's reset is kept by the database's clock, for the provider's may be hours off",
    file: "src/runtime/services/api-clients.ts",
    find: "const resetsAt = ownTime(resetAt, offsets.get(account.id) ?? account.clockOffset);",
    replace: "const resetsAt = resetAt;",
    killedBy: ["test/situations/safety/process-clock.test.ts"],
  },
  {
    id: "backfill-asks-by-database",
    rule: "Whether a backfill may ask for the next page is told by the database's clock",
    file: "src/runtime/backfill/list-existing.ts",
    find: "const now = await services.store.ledger.now();",
    replace: "const now = services.clock.now();",
    killedBy: ["test/situations/safety/process-clock.test.ts"],
  },
];
