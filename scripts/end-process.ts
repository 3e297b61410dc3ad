/**
 * Ends this process with its `process.exitCode`, after its output is written. Without this, Node 20 sometimes
 * loops forever while it frees the handles of child processes (nodejs/node#47748). A command that has printed
 * its result would then block all its callers.
 */
export function endProcess(): void {
  process.stdout.write("", () => process.exit());
}
