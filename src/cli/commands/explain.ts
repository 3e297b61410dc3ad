/** `tandem explain tasks 42`: how a record came to be as it is. */
import type { Command } from "commander";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  type LedgerOptions,
  type Within,
} from "../command-context.ts";
import { storyOf } from "../story.ts";

export function addExplainCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("explain"))
    .summary("tell the story of one record")
    .description(
      "Tells where a record and its counterparts stand, what they wait for, and everything that\nhappened to them, oldest first: what was observed, what came of it and why, what it altered,\nwhich side won a conflict and what was lost.",
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
