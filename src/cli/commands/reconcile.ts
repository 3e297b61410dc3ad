/** `tandem reconcile`: compares all contents of a connection, and brings both sides in step. */
import type { Command } from "commander";
import type { ApiPlannedAction, ApiReconciliation } from "../../server/protocol/index.ts";
import { columns, countNoun, cut, recordLabel, resourceLabel } from "../output/index.ts";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  findConnection,
  type LedgerOptions,
  type Within,
} from "../context/index.ts";

interface ReconcileOptions extends LedgerOptions {
  readonly dryRun?: boolean;
}

export function addReconcileCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("reconcile"))
    .summary("compare everything of a connection, and bring both sides in step")
    .description(
      "Lists every resource of a connection, reads missing ones by id, compares all with the records,\nand queues the differences for the workers. A dry run makes the same plan and executes nothing.\nA plan that would delete or overwrite many records waits for `tandem approve`.",
    )
    .argument("<connection>", "its id, or its repository")
    .option("--dry-run", "show the plan and do not execute it")
    .addHelpText(
      "after",
      examples(
        ["tandem reconcile acme/site --dry-run", "show the plan"],
        ["tandem reconcile acme/site", ""],
      ),
    )
    .action(within<[string, ReconcileOptions]>(reconcile));
}

async function reconcile(
  { answer, withLedger }: CommandContext,
  wanted: string,
  { dryRun = false, ...options }: ReconcileOptions,
): Promise<void> {
  await withLedger(options, async (ledger) => {
    const { connections } = await ledger.status();
    const done = await ledger.reconcile(findConnection(connections, wanted).id, dryRun);
    answer(done, reconcileLines(done, dryRun));
  });
}

/** The answer for people. */
export function reconcileLines(
  { listed, actions, held, unconfirmed }: ApiReconciliation,
  dryRun: boolean,
): readonly string[] {
  const later =
    unconfirmed === 0
      ? []
      : [
          `${countNoun(unconfirmed, "resource seems", "resources seem")} to be missing but may only be too new for the list: run it again later.`,
        ];
  const waits = held
    ? [
        "The other differences would delete or overwrite many records and wait for approval: `tandem status` shows them.",
      ]
    : [];
  const total = `${countNoun(listed, "resource")} listed, ${countNoun(actions.length, "difference")}`;
  const end = dryRun ? `${total}. Nothing was changed.` : `${total}.`;
  return [...columns(actions.map(cells)), ...later, ...waits, end];
}

function cells(action: ApiPlannedAction): readonly string[] {
  const changes = action.changes.map(
    ({ field, from, to }) => `${field}: ${shown(from)} -> ${shown(to)}`,
  );
  const lost = action.conflicts.map(({ field, lost: value }) => `${field} loses ${shown(value)}`);
  return [
    action.kind.replaceAll("_", " "),
    recordLabel(action),
    resourceLabel(action),
    [...changes, ...lost].join("; "),
  ];
}

function shown(value: unknown): string {
  return cut(JSON.stringify(value), 40);
}
