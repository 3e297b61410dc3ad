/** `tandem pause` and `tandem enable`: a connection's switch. */
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
    .summary("switch a connection on again")
    .description(
      "Switches a paused connection on again. Of what came in meanwhile the newest of each resource\ngoes on, after the resource was read again.",
    )
    .argument("<connection>", CONNECTION)
    .addHelpText("after", examples(["tandem enable acme/site", ""]))
    .action(within<[string, LedgerOptions]>((...given) => turn("enable", ...given)));
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
