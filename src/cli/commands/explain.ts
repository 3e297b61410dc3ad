/** `tandem explain tasks 42`: why a record has its present state. */
import type { Command } from "commander";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  type LedgerOptions,
  type Within,
} from "../context/index.ts";
import { storyOf } from "../output/index.ts";

export function addExplainCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("explain"))
    .summary("explain the state and history of one record")
    .description(
      "Shows the state of a record and its counterparts, what they wait for, and their events, the\noldest first: each observation, its outcome and reason, the values it changed, and for each\nconflict the side that won and the value that was lost.",
    )
    .argument("<table>", "the record's table, such as tasks")
    .argument("<id>", "its primary key")
    .addHelpText("after", examples(["tandem explain tasks 42", ""]))
    .action(within<[string, string, LedgerOptions]>(explainRecord));
}

async function explainRecord(
  context: CommandContext,
  table: string,
  id: string,
  options: LedgerOptions,
): Promise<void> {
  await context.withLedger(options, async (ledger) => {
    const explanation = await ledger.explain(table, id);
    context.answer(explanation, storyOf(explanation, context.reader, context.paint));
  });
}
