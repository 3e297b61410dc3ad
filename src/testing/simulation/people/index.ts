/**
 * Acts of people on both sides of a history, drawn from its random numbers.
 *
 * 1. People see the world only as `Stage` shows it.
 * 2. Each act is noted in the history before it can be overwritten.
 */
export { connectAll } from "./connect.ts";
export { editSomething } from "./edits.ts";
export { choose, type Stage } from "./stage.ts";
