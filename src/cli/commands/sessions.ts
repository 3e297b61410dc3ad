/** `tandem sessions`: lists and revokes logins of the dashboard. */
import { type Command, Option } from "commander";
import type { ApiSessions } from "../../server/protocol/index.ts";
import { columns, countNoun, localTime } from "../output/index.ts";
import {
  addLedgerOptions,
  CliError,
  type CommandContext,
  examples,
  EXIT,
  type LedgerOptions,
  type Within,
} from "../context/index.ts";

interface RevokeOptions extends LedgerOptions {
  readonly all?: boolean;
}

export function addSessionsCommand(program: Command, within: Within): void {
  const sessions = program
    .command("sessions")
    .summary("list and revoke logins of the dashboard")
    .description(
      "A login of the dashboard ends 30 days after it began, 7 days after its last request, by logging\nout, by a change of TANDEM_API_TOKEN, or when it is revoked. Without a subcommand, lists logins.",
    );
  addLedgerOptions(sessions.command("list", { isDefault: true }))
    .summary("list active logins, newest first")
    .description("Lists active logins, newest first. The ids it shows cannot be used to log in.")
    .addHelpText("after", examples(["tandem sessions", ""]))
    .action(within<[LedgerOptions]>(listSessions));
  addLedgerOptions(sessions.command("revoke"))
    .summary("end one login or all logins")
    .description(
      "Ends one login or all logins. An open page asks for the token at its next request, or within ten\nseconds.",
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
      "the command needs either a login's id or --all",
      "`tandem sessions` lists the ids.",
    );
  }
  await context.withLedger(options, async (ledger) => {
    const left = await ledger.revokeSessions(login ?? null);
    const what = login === undefined ? "All logins have ended." : `Login ${login} has ended.`;
    context.answer(left, [what, `${countNoun(left.sessions.length, "login")} left.`]);
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
