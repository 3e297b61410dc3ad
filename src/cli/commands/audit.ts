/** `tandem audit`: the acts of people and scripts. */
import type { Command } from "commander";
import type { ApiAudit } from "../../server/protocol/index.ts";
import { columns, localTime } from "../output/index.ts";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  type LedgerOptions,
  wholeNumber,
  type Within,
} from "../context/index.ts";

interface AuditOptions extends LedgerOptions {
  readonly act?: string;
  readonly before?: string;
  readonly limit: number;
}

export function addAuditCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("audit"))
    .summary(
      "list acts of people and scripts: through the API, the dashboard and this command line",
    )
    .description(
      "Lists acts, newest first: logins, failed logins, pauses, restarts, approvals, connects and so on,\nwith actor, origin and status. Acts are kept for a year.",
    )
    .option("--act <act>", "only acts of this kind, such as connection.pause or login")
    .option("--before <id>", "only acts before this one: the next page")
    .option("--limit <number>", "how many at most, up to 500", wholeNumber(1, 500), 100)
    .addHelpText(
      "after",
      examples(["tandem audit", "the newest"], ["tandem audit --act login --json", "for a script"]),
    )
    .action(within<[AuditOptions]>(listActs));
}

async function listActs(context: CommandContext, { url, ...query }: AuditOptions): Promise<void> {
  await context.withLedger(url === undefined ? {} : { url }, async (ledger) => {
    const { act, before, limit } = query;
    const listed = await ledger.audit({
      limit,
      ...(act === undefined ? {} : { act }),
      ...(before === undefined ? {} : { before }),
    });
    context.answer(listed, listLines(listed, context));
  });
}

function listLines({ acts, next }: ApiAudit, { paint, reader }: CommandContext): readonly string[] {
  if (acts.length === 0) return ["No acts."];
  const heading = ["TIME", "ACTOR", "ACT", "SUBJECT", "FROM", "STATUS"];
  const rows = acts.map(({ at, actor, act, subject, origin, status }) => [
    ...[localTime(at, reader), actor, act, subject, origin],
    status < 400 ? String(status) : paint.red(String(status)),
  ]);
  const more = next === null ? [] : ["", paint.dim(`More: --before ${next}`)];
  return [...columns([heading, ...rows]), ...more];
}
