/** `tandem sessions`: logins of the dashboard, listed and revoked. */
import { type Command, Option } from "commander";
import type { ApiSessions } from "../../server/api-types.ts";
import { columns } from "../columns.ts";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  type LedgerOptions,
  type Within,
} from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";
import { localTime } from "../local-time.ts";
import { count } from "../wording.ts";

interface RevokeOptions extends LedgerOptions {
  readonly all?: boolean;
}

export function addSessionsCommand(program: Command, within: Within): void {
  const sessions = program
    .command("sessions")
    .summary("list and revoke logins of the dashboard")
    .description(
      "A login of the dashboard ends 30 days after it was made, 7 days after its last request, by logging\nout, with another TANDEM_API_TOKEN, or when it is revoked. Without a command below, it lists.",
    );
  addLedgerOptions(sessions.command("list", { isDefault: true }))
    .summary("list the logins that live, newest first")
    .description("Lists the logins that live, newest first. Nobody can log in with what it shows.")
    .addHelpText("after", examples(["tandem sessions", ""]))
    .action(within<[LedgerOptions]>(listSessions));
  addLedgerOptions(sessions.command("revoke"))
    .summary("end a login, or all")
    .description(
      "Ends a login, or all. Its page asks for the token with its next request, and within ten seconds\nwhere it is open.",
    )
    .argument("[login]", "its id, as `tandem sessions` lists it")
    .addOption(new Option("--all", "every login"))
    .addHelpText("after", examples(["tandem sessions revoke --all", ""]))
    .action(within<[string | undefined, RevokeOptions]>(revoke));
}

async function listSessions(context: CommandContext, options: LedgerOptions): Promise<void> {
  await context.withLedger(options, async (ledger) => {
    const listed = await ledger.sessions();
    context.answer(listed, lines(listed, context));
  });
}

async function revoke(
  context: CommandContext,
  login: string | undefined,
  { all = false, ...options }: RevokeOptions,
): Promise<void> {
  if ((login === undefined) !== all) {
    throw new CliError(
      EXIT.usage,
      "usage",
      "the command takes either a login's id or --all",
      "`tandem sessions` lists the ids.",
    );
  }
  await context.withLedger(options, async (ledger) => {
    const left = await ledger.revokeSessions(login ?? null);
    const what = login === undefined ? "All logins have ended." : `Login ${login} has ended.`;
    context.answer(left, [what, `${count(left.sessions.length, "login")} left.`]);
  });
}

function lines({ sessions }: ApiSessions, { paint, reader }: CommandContext): readonly string[] {
  if (sessions.length === 0) return ["No logins."];
  const rows = sessions.map((session) => [
    localTime(session.created_at, reader),
    localTime(session.used_at, reader),
    localTime(session.expires_at, reader),
    session.origin,
    paint.dim(session.id),
  ]);
  return columns([["LOGIN", "LAST USE", "ENDS", "FROM", "ID"], ...rows]);
}
