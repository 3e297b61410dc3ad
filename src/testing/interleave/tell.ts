/** Describes an interleaved history: its steps, and the order of its statements. */
import type { Interleaved } from "./interleave.ts";
import { STEP_KINDS } from "./plan.ts";

export function tellInterleaved({ steps, trace }: Interleaved): readonly string[] {
  const lines = steps.map(
    ({ id, actor, kind }) => `step ${String(id)}, ${actor}: ${STEP_KINDS[kind]}`,
  );
  let before = "";
  for (const { actor, step, text, paused } of trace) {
    const block = `${actor}, step ${String(step)}`;
    if (block !== before) lines.push(`${block}${paused ? ", after a pause" : ""}`);
    before = block;
    lines.push(`    ${text}`);
  }
  return lines;
}
