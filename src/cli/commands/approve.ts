/** `tandem approve`: a person's decision about a run over its blast radius, or about a copied database. */
import type { Command } from "commander";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  type LedgerOptions,
  type Within,
} from "../context/index.ts";

interface ApproveOptions extends LedgerOptions {
  readonly reject?: boolean;
}

export function addApproveCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("approve"))
    .summary("approve or reject a held run")
    .description(
      "A sweep or reconcile that would delete or overwrite a large share of a connection's records is held\nand waits for a person. `tandem status` lists it with its plan. An approved run compares again and\nexecutes no more than was shown. A rejected run stays undone until its plan grows.",
    )
    .argument(
      "<run|instance>",
      "its number in `tandem status`; `instance`: release a database that was restored or copied",
    )
    .option("--reject", "do not run it")
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
        "Workers process this database from now on; every resource is read again first.",
      ]);
      return;
    }
    const status = await ledger[reject ? "reject" : "approve"](run);
    const decided = status.held_runs.find(({ id }) => id === run) ?? null;
    answer(decided, [
      reject
        ? `Run ${run} is rejected and stays undone.`
        : `Run ${run} is approved; a worker executes it within a minute.`,
    ]);
  });
}
