/**
 * Which stages run at the same time. Stages start in the order of the list. One that is `beside` shares the machine
 * with one neighbour that is `beside` too; any other has the machine alone, and nothing overtakes it.
 */
import type { Stage } from "./stage.ts";

/** As many as the smallest machine has cores. */
const SIDE_BY_SIDE = 2;

/** The stages to start now, given those that run and those that have not begun, in the order of the list. */
export function stagesToStart(
  waiting: readonly Stage[],
  running: readonly Stage[],
): readonly Stage[] {
  const [first] = waiting;
  if (first === undefined || running.some(({ beside }) => beside !== true)) return [];
  if (first.beside !== true) return running.length === 0 ? [first] : [];
  const alone = waiting.findIndex(({ beside }) => beside !== true);
  const neighbours = alone === -1 ? waiting : waiting.slice(0, alone);
  const unfinished = new Set([...neighbours, ...running].map(({ name }) => name));
  return neighbours
    .filter(({ after = [] }) => !after.some((name) => unfinished.has(name)))
    .slice(0, Math.max(0, SIDE_BY_SIDE - running.length));
}

/** The minutes of the whole run where each stage takes its budget. */
export function plannedMinutes(stages: readonly Stage[]): number {
  const waiting = [...stages];
  let running: { readonly stage: Stage; readonly ends: number }[] = [];
  let now = 0;
  for (;;) {
    const started = stagesToStart(
      waiting,
      running.map(({ stage }) => stage),
    );
    for (const stage of started) {
      waiting.splice(waiting.indexOf(stage), 1);
      running.push({ stage, ends: now + stage.minutes });
    }
    if (running.length === 0) break;
    now = Math.min(...running.map(({ ends }) => ends));
    running = running.filter(({ ends }) => ends > now);
  }
  if (waiting.length > 0)
    throw new Error(`these wait for each other: ${waiting.map(({ name }) => name).join(", ")}`);
  return now;
}
