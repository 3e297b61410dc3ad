/** `tandem approve`: a person's word on a run that would delete or overwrite much. */
import type { Command } from "commander";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  type LedgerOptions,
  type Within,
} from "../command-context.ts";

interface ApproveOptions extends LedgerOptions {
  readonly reject?: boolean;
}

export function addApproveCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("approve"))
    .summary("let a held run go on, or leave it undone")
    .description(
      "A sweep or reconcile that would delete or overwrite a large share of a connection's records waits\nfor a person's word; `tandem status` lists it, with what it would do. Approved, it looks once more\nand goes on for as much as was shown. Rejected, it stays undone until it would do more.",
    )
    .argument(
      "<run|instance>",
      "its number in `tandem status`; `instance`: go on with a database that was restored or copied",
    )
    .option("--reject", "leave it undone")
    .addHelpText(
      "after",
      examples(
        ["tandem approve 3", ""],
        ["tandem approve 3 --reject", ""],
        ["tandem approve instance", ""],
      ),
    )
    .action(within<[string, ApproveOptions]>(decide));
}

async function decide(
  { answer, withLedger }: CommandContext,
  run: string,
  { reject = false, ...options }: ApproveOptions,
): Promise<void> {
  await withLedger(options, async (ledger) => {
    if (run === "instance") {
      const { foreign_instance } = await ledger.approveInstance();
      answer({ foreign_instance }, [
        "This database is worked on from here on; everything is read again first.",
      ]);
      return;
    }
    const status = await ledger[reject ? "reject" : "approve"](run);
    const decided = status.held_runs.find(({ id }) => id === run) ?? null;
    answer(decided, [
      reject
        ? `Run ${run} stays undone.`
        : `Run ${run} is approved; a worker goes on with it within a minute.`,
    ]);
  });
}
