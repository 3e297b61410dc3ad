/**
 * The verdict on a history's end: both sides agree, and nothing is lost, doubled or left behind.
 *
 * 1. A judge reads both ends and the history, and changes neither.
 * 2. An edit may disappear only if a person who had seen it overwrote it, or a conflict names it.
 */
export { behindIn, isUpheld, judgeHistory, type Verdict } from "./verdict.ts";
