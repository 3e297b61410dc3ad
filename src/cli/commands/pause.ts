/** `tandem pause` and `tandem enable`: switch a connection or a record's pairings off and on. */
import type { Command } from "commander";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  findConnection,
  type LedgerOptions,
  type Within,
} from "../context/index.ts";

const CONNECTION = "its container, such as acme/site, or its id in `tandem status`";

export function addPauseCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("pause"))
    .summary("switch a connection off")
    .description(
      "Switches both directions of a connection off. The app can still write, and webhooks are still\nreceived: their changes are kept as disabled events. Nothing is applied or sent until it is enabled.",
    )
    .argument("<connection>", CONNECTION)
    .addHelpText("after", examples(["tandem pause acme/site", ""]))
    .action(within<[string, LedgerOptions]>((...given) => turn("pause", ...given)));
}

export function addEnableCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("enable"))
    .summary("switch a connection, or a quarantined record, on again")
    .description(
      "Switches a paused connection on again or, given a table and a key, the disabled pairings of one\nrecord, as `tandem status` lists them. For each resource the newest waiting event is processed,\nafter the resource is read again.",
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
    answer(explanation, [`${table} ${id} is enabled; Tandem reads its resource first.`]);
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
