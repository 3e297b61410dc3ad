/** `tandem events`: lists, shows, restarts and cancels events of the ledger. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { LEGAL_MOVES } from "../../model/event.ts";
import type { ApiEvent, ApiEvents } from "../../server/protocol/index.ts";
import {
  columns,
  eventStory,
  localTime,
  paintState,
  recordLabel,
  resourceLabel,
} from "../output/index.ts";
import {
  addLedgerOptions,
  type CommandContext,
  examples,
  findConnection,
  type LedgerOptions,
  wholeNumber,
  type Within,
} from "../context/index.ts";

interface ListOptions extends LedgerOptions {
  readonly state?: ApiEvent["state"];
  readonly direction?: ApiEvent["direction"];
  readonly record?: string;
  readonly connection?: string;
  readonly before?: string;
  readonly limit: number;
}

export function addEventsCommand(program: Command, within: Within): void {
  const events = program
    .command("events")
    .summary("list, show, restart and cancel events")
    .description(
      "An event is one observed change in one direction, with its outcome. Each ends completed, ignored,\nduplicate or canceled, with a reason. An errored event waits for a newer change, or for a person\nwho restarts it. Without a subcommand, lists events.",
    );

  addLedgerOptions(events.command("list", { isDefault: true }))
    .summary("list events, newest first")
    .description("Lists events, newest first. Without filters: the newest 100.")
    .addOption(
      new Option("--state <state>", "only events in this state").choices(Object.keys(LEGAL_MOVES)),
    )
    .addOption(
      new Option("--direction <direction>", "only events of this direction").choices([
        "inbound",
        "outbound",
      ]),
    )
    .option("--record <table:id>", "only events of this record, such as tasks:42", readRecord)
    .option("--connection <connection>", "only events of this connection, by its container or id")
    .option("--before <event>", "only events before this one: the next page")
    .option("--limit <number>", "how many at most, up to 500", wholeNumber(1, 500), 100)
    .addHelpText(
      "after",
      examples(
        ["tandem events", "the newest"],
        ["tandem events list --state errored", "events that need a person"],
        ["tandem events list --record tasks:42 --json", "events of one record, for a script"],
      ),
    )
    .action(within<[ListOptions]>(listEvents));

  addLedgerOptions(events.command("show"))
    .summary("show all of one event")
    .description("Shows one event: the observation, its outcome and reason, and its content.")
    .argument("<event>", "its id")
    .action(within<[string, LedgerOptions]>(showEvent));

  addLedgerOptions(events.command("restart"))
    .summary("requeue an errored event")
    .description(
      "Requeues an errored event. Tandem reads the resource first, so that the event never overwrites\nnewer values.",
    )
    .argument("<event>", "its id")
    .action(within<[string, LedgerOptions]>((...given) => moveEvent("restart", ...given)));

  addLedgerOptions(events.command("cancel"))
    .summary("cancel a queued event")
    .description("Cancels a queued event. A later change of the same resource creates a new event.")
    .argument("<event>", "its id")
    .action(within<[string, LedgerOptions]>((...given) => moveEvent("cancel", ...given)));
}

async function listEvents(context: CommandContext, options: ListOptions): Promise<void> {
  const { url, connection, state, direction, record, before, limit } = options;
  await context.withLedger(url === undefined ? {} : { url }, async (ledger) => {
    const id =
      connection === undefined
        ? undefined
        : findConnection((await ledger.status()).connections, connection).id;
    const listed = await ledger.events({
      limit,
      ...(id === undefined ? {} : { connection: id }),
      ...(state === undefined ? {} : { state }),
      ...(direction === undefined ? {} : { direction }),
      ...(record === undefined ? {} : { record }),
      ...(before === undefined ? {} : { before }),
    });
    context.answer(listed, listLines(listed, context));
  });
}

function listLines({ events, next }: ApiEvents, context: CommandContext): readonly string[] {
  if (events.length === 0) return ["No events."];
  const { paint, reader } = context;
  const heading = ["TIME", "STATE", "WAY", "RECORD", "RESOURCE", "REASON", "EVENT"];
  const rows = events.map((event) => [
    localTime(event.created_at, reader),
    paintState(paint, event.state),
    event.direction === "inbound" ? "in" : "out",
    recordLabel(event),
    resourceLabel(event),
    event.reason,
    paint.dim(event.id),
  ]);
  const more = next === null ? [] : ["", paint.dim(`More: --before ${next}`)];
  return [...columns([heading, ...rows]), ...more];
}

async function showEvent(
  context: CommandContext,
  id: string,
  options: LedgerOptions,
): Promise<void> {
  await context.withLedger(options, async (ledger) => {
    const event = await ledger.event(id);
    context.answer(event, eventLines(event, context));
  });
}

async function moveEvent(
  move: "restart" | "cancel",
  context: CommandContext,
  id: string,
  options: LedgerOptions,
): Promise<void> {
  await context.withLedger(options, async (ledger) => {
    const event = await ledger[move](id);
    context.answer(event, eventLines(event, context));
  });
}

function eventLines(event: ApiEvent, { paint, reader }: CommandContext): readonly string[] {
  const time = (at: string | null): string => (at === null ? "" : localTime(at, reader));
  const facts: readonly (readonly [string, string])[] = [
    ["record", recordLabel(event)],
    ["resource", resourceLabel(event)],
    ["direction", `${event.direction}, ${event.action}, seen by ${event.source}`],
    ["resource's time", time(event.integration_updated_at)],
    ["attempts", String(event.attempts)],
    ["worker", event.worker ?? ""],
    ["due", event.state === "queued" ? time(event.run_at) : ""],
    ["started", time(event.started_at)],
    ["finished", time(event.finished_at)],
  ];
  const content = event.content === null ? [] : JSON.stringify(event.content, null, 2).split("\n");
  return [
    paint.bold(`event ${event.id}`),
    ...columns(facts.filter(([, value]) => value !== "")).map((line) => `  ${line}`),
    "",
    ...eventStory(event, reader, paint),
    ...(content.length === 0 ? [] : ["", "content:", ...content]),
  ];
}

function readRecord(text: string): string {
  if (/^[^:]+:.+$/.test(text)) return text;
  throw new InvalidArgumentError("Write it as table:id, for example tasks:42.");
}
