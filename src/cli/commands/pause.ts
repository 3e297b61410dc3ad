/** `tandem pause` and `tandem enable`: a connection's switch, and a record's. */
import type { Command } from "commander";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  type LedgerOptions,
  type Within,
} from "../command-context.ts";
import { findConnection } from "../find-connection.ts";

const CONNECTION = "its container, such as acme/site, or its id in `tandem status`";

export function addPauseCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("pause"))
    .summary("switch a connection off")
    .description(
      "Switches a connection off, both directions. The app goes on writing, webhooks are still taken,\nand what they say is kept as disabled events; nothing is applied or sent until it is enabled.",
    )
    .argument("<connection>", CONNECTION)
    .addHelpText("after", examples(["tandem pause acme/site", ""]))
    .action(within<[string, LedgerOptions]>((...given) => turn("pause", ...given)));
}

export function addEnableCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("enable"))
    .summary("switch a connection, or a quarantined record, on again")
    .description(
      "Switches a paused connection on again or, given a table and a key, the pairings of one record\nthat were switched off: `tandem status` lists them. Of what came in meanwhile the newest of each\nresource goes on, after the resource was read again.",
    )
    .argument("<connection|table>", `${CONNECTION}; or a record's table, such as tasks`)
    .argument("[id]", "the record's primary key")
    .addHelpText(
      "after",
      examples(["tandem enable acme/site", ""], ["tandem enable tasks 42", "after a quarantine"]),
    )
    .action(
      within<[string, string | undefined, LedgerOptions]>((context, wanted, id, options) =>
        id === undefined
          ? turn("enable", context, wanted, options)
          : enableRecord(context, wanted, id, options),
      ),
    );
}

async function enableRecord(
  { answer, withLedger }: CommandContext,
  table: string,
  id: string,
  options: LedgerOptions,
): Promise<void> {
  await withLedger(options, async (ledger) => {
    const explanation = await ledger.enableRecord(table, id);
    answer(explanation, [`${table} ${id} is enabled; its resource is read first.`]);
  });
}

async function turn(
  to: "pause" | "enable",
  { answer, withLedger }: CommandContext,
  wanted: string,
  options: LedgerOptions,
): Promise<void> {
  await withLedger(options, async (ledger) => {
    const { id } = findConnection((await ledger.status()).connections, wanted);
    const { connections } = await ledger[to](id);
    const connection = findConnection(connections, id);
    const what = to === "pause" ? "paused" : "enabled";
    answer(connection, [`${connection.container} (scope ${connection.scope}) is ${what}.`]);
  });
}
