/**
 * Ends this process with its `process.exitCode`, once what it printed is written. Left to end by itself, Node 20
 * sometimes loops for ever while it frees the handles of child processes (nodejs/node#47748): a command
 * that has printed its result would then hold up all that waits for it.
 */
export function endProcess(): void {
  process.stdout.write("", () => process.exit());
}
