/** `tandem status`: accounts, connections, and everything that waits. */
import type { Command } from "commander";
import type { ApiConnection, ApiStatus } from "../../server/protocol/index.ts";
import {
  columns,
  countNoun,
  localTime,
  openDirections,
  type Paint,
  recordLabel,
  resourceLabel,
} from "../output/index.ts";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  type LedgerOptions,
  type Within,
} from "../context/index.ts";

export function addStatusCommand(program: Command, within: Within): void {
  addLedgerOptions(program.command("status"))
    .summary("show accounts, connections and what is waiting")
    .description(
      "Shows accounts, connections, and how many events, captured writes and webhook deliveries wait.\nErrored events need a person: `tandem events list --state errored`.",
    )
    .addHelpText(
      "after",
      examples(["tandem status", ""], ["tandem status --json | jq .live.errored", "for a monitor"]),
    )
    .action(within<[LedgerOptions]>(showStatus));
}

async function showStatus(context: CommandContext, options: LedgerOptions): Promise<void> {
  await context.withLedger(options, async (ledger) => {
    const status = await ledger.status();
    context.answer(status, statusLines(status, ledger.server, context));
  });
}

function statusLines(
  status: ApiStatus,
  server: string | null,
  { paint, reader }: CommandContext,
): readonly string[] {
  const { live, deliveries, accounts, connections } = status;
  const workers = status.working ? "with workers" : "without workers";
  const place = server === null ? "" : `, server at ${server} ${workers}`;
  const counts: readonly (readonly [string, string])[] = [
    [
      "events",
      [
        `${live.queued} queued`,
        `${live.processing} processing`,
        live.errored === 0 ? "0 errored" : paint.red(`${live.errored} errored`),
        `${live.disabled} disabled`,
      ].join(", "),
    ],
    ["writes", `${status.undrained} captured, not yet turned into events`],
    [
      "deliveries",
      `${deliveries.received} received, ${deliveries.translated} translated, ${deliveries.irrelevant} irrelevant, ${deliveries.failed} failed`,
    ],
    ...missedRow(status.missed_deliveries),
    ...refusedRows(status, reader),
    ...connections.flatMap(untrackedRow),
  ];
  return [
    `Tandem ${status.version} on ${status.database}${place}`,
    ...misfitLines(status, paint),
    "",
    paint.bold("Accounts"),
    ...indented(
      accounts.map((account) => [
        `${account.integration} ${account.name}`,
        account.state === "active" ? paint.green("active") : paint.red(account.state),
        [
          account.reason ?? "",
          account.paused_until === null ? "" : `until ${localTime(account.paused_until, reader)}`,
        ]
          .filter((part) => part !== "")
          .join(" "),
      ]),
      "none yet; `tandem connect --help` shows how",
    ),
    "",
    paint.bold("Connections"),
    ...indented(
      connections.map((connection) => [
        connection.container,
        `scope ${connection.scope}`,
        openDirections(connection),
        pollStanding(connection, reader),
        paint.dim(connection.id),
      ]),
      "none yet",
    ),
    "",
    paint.bold("Waiting"),
    ...indented([...counts, ...backfillRows(status)], ""),
    ...foreignLines(status, paint),
    ...heldLines(status, paint),
    ...disabledLines(status, paint),
  ];
}

/** Webhooks that the provider could not deliver; no row if there are none. */
function missedRow({
  waiting,
  given_up: givenUp,
}: ApiStatus["missed_deliveries"]): readonly (readonly [string, string])[] {
  if (waiting + givenUp === 0) return [];
  return [
    ["missed", `${countNoun(waiting, "webhook")} with a redelivery requested, ${givenUp} given up`],
  ];
}

/** Webhooks that were refused within a day, by cause; no row if there are none. */
function refusedRows(
  { refused_webhooks: refused }: ApiStatus,
  reader: CommandContext["reader"],
): readonly (readonly [string, string])[] {
  return refused.map(({ integration, code, count: many, last_at: at }) => [
    "refused",
    `${countNoun(many, "webhook")} of ${integration} within a day: ${code}, last at ${localTime(at, reader)}`,
  ]);
}

/** Records without lane or event, with the command that pairs them; no row if there are none. */
function untrackedRow({
  container,
  untracked_records: many,
}: ApiStatus["connections"][number]): readonly (readonly [string, string])[] {
  if (many === null || many === 0) return [];
  return [
    ["untracked", `${countNoun(many, "record")} of ${container}: tandem reconcile ${container}`],
  ];
}

/** Backfills that are not done; no row if there are none. */
function backfillRows({ backfills }: ApiStatus): readonly (readonly [string, string])[] {
  return backfills.map(({ connection, resource_type, listed, waits_for, step }) => [
    "backfill",
    `${connection} ${resource_type.replaceAll("_", " ")}s: ${String(listed)} listed, ${waits_for ?? step.replaceAll("_", " ")}`,
  ]);
}

function foreignLines(
  { foreign_instance: why }: ApiStatus,
  paint: CommandContext["paint"],
): readonly string[] {
  if (why === null) return [];
  return [
    "",
    paint.red(paint.bold("No event is processed")),
    `  ${why}`,
    paint.dim("  tandem approve instance   release this copy; every resource is read again first"),
  ];
}

/** Held runs, with the commands that decide them; no line if there are none. */
function heldLines(
  { held_runs: runs }: ApiStatus,
  paint: CommandContext["paint"],
): readonly string[] {
  if (runs.length === 0) return [];
  const lines = runs.flatMap((run) => [
    `${run.id}  ${run.kind.replace("_", " ")} of ${run.connection}, ${run.state}`,
    `  ${run.because}`,
    ...run.sample
      .slice(0, 3)
      .map(
        (affected) => `  ${affected.what} ${recordLabel(affected)} ↔ ${resourceLabel(affected)}`,
      ),
    ...(run.state === "approved"
      ? []
      : [paint.dim(`  tandem approve ${run.id}   or   tandem approve ${run.id} --reject`)]),
  ]);
  return [
    "",
    paint.red(paint.bold(`Waiting for approval: ${countNoun(runs.length, "run")}`)),
    ...lines.map((line) => `  ${line}`),
  ];
}

/** Why workers with this process's code or mappings stop; no line if they fit. */
function misfitLines({ misfit }: ApiStatus, paint: Paint): readonly string[] {
  if (misfit === null) return [];
  const { code, message, hint } = misfit;
  return [paint.red(`workers stop: ${message}`), `  code: ${code}`, `  fix: ${hint}`];
}

/** Disabled pairings, with the commands that enable them; no line if there are none. */
function disabledLines(
  { disabled_pairings: { count: many, first } }: ApiStatus,
  paint: CommandContext["paint"],
): readonly string[] {
  if (many === 0) return [];
  const lines = first.flatMap((pairing) => [
    `${recordLabel(pairing)} ↔ ${resourceLabel(pairing)} in ${pairing.connection}`,
    `  ${pairing.why}`,
    ...(pairing.record_id === null
      ? []
      : [paint.dim(`  tandem enable ${pairing.record_type} ${pairing.record_id}`)]),
  ]);
  const more = many > first.length ? [`and ${String(many - first.length)} more`] : [];
  return [
    "",
    paint.red(paint.bold(`Switched off: ${countNoun(many, "pairing")}`)),
    ...[...lines, ...more].map((line) => `  ${line}`),
  ];
}

function indented(rows: readonly (readonly string[])[], none: string): readonly string[] {
  return (rows.length === 0 ? [none] : columns(rows)).map((line) => `  ${line}`);
}

/** The last successful poll; a failed attempt is shown beside it. */
function pollStanding(
  { polled_at: at, poll_error: error }: ApiConnection,
  reader: CommandContext["reader"],
): string {
  const last = at === null ? "not polled yet" : `polled ${localTime(at, reader)}`;
  return error === null ? last : `${last}; polls fail: ${error}`;
}
