/** `tandem backfill`: pairs all that exists on both sides of a connection, then creates what is missing. */
import type { Command } from "commander";
import type { ApiBackfill } from "../../server/protocol/index.ts";
import { columns } from "../output/index.ts";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  findConnection,
  type LedgerOptions,
  type Within,
} from "../context/index.ts";

const BAR_WIDTH = 20;

export function addBackfillCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("backfill"))
    .summary("pair what exists on both sides, or show the progress")
    .description(
      "Lists every resource of a connection, pairs what exists on both sides if a key is declared, and\ncreates resources for the remaining records. Workers run it, page by page and within a share of the\nrate limit; after a crash it resumes. Without a connection, shows the progress of every backfill.",
    )
    .argument("[connection]", "its id or its repository; absent: show the progress only")
    .addHelpText(
      "after",
      examples(
        ["tandem backfill acme/site", "begin, or show the progress"],
        ["tandem backfill --json", ""],
      ),
    )
    .action(within<[string | undefined, LedgerOptions]>(backfill));
}

async function backfill(
  { answer, withLedger }: CommandContext,
  wanted: string | undefined,
  options: LedgerOptions,
): Promise<void> {
  await withLedger(options, async (ledger) => {
    if (wanted === undefined) {
      const all = await ledger.backfills();
      answer(all, lines(all.backfills));
      return;
    }
    const { connections } = await ledger.status();
    const { id } = findConnection(connections, wanted);
    const all = await ledger.backfill(id);
    const own = all.backfills.filter((one) => one.connection_id === id);
    answer({ backfills: own }, [
      ...lines(own),
      "Workers run the backfill; run this command again to see its progress.",
    ]);
  });
}

function lines(backfills: readonly ApiBackfill[]): readonly string[] {
  if (backfills.length === 0) return ["No backfill was started."];
  const rows = backfills.map((one) => [
    one.connection,
    one.resource_type.replaceAll("_", " "),
    bar(one),
    `${String(one.listed)} listed, ${String(one.paired)} paired, ${String(one.created)} created`,
    one.waits_for ?? one.step.replaceAll("_", " "),
  ]);
  const ambiguous = backfills.flatMap(({ ambiguous: { first } }) =>
    first.map(
      ({ label, records, resources }) =>
        `ambiguous  ${label}: records ${records.join(", ")}; resources ${resources.join(", ")}`,
    ),
  );
  return [...columns(rows), ...ambiguous];
}

/** The progress bar. The part after the list is filled by the steps that follow the listing. */
function bar({ step, listed, expected }: ApiBackfill): string {
  const share =
    step === "done"
      ? 1
      : step !== "list"
        ? 0.9
        : expected === null || expected === 0
          ? 0
          : Math.min(0.9, listed / expected);
  const full = Math.round(share * BAR_WIDTH);
  return `[${"#".repeat(full)}${".".repeat(BAR_WIDTH - full)}]`;
}
