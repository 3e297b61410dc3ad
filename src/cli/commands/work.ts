/** `tandem work`: workers that run until they are stopped, or until nothing is due. */
import type { Command } from "commander";
import {
  CliError,
  type CommandContext,
  examples,
  EXIT,
  loadConfig,
  openTandem,
  wholeNumber,
  type Within,
} from "../context/index.ts";
import { countNoun, untilInterrupted } from "../output/index.ts";
import type { AnyConfig } from "../../config.ts";
import { sayHint } from "../../model/acts/hint.ts";
import { FOREIGN_REMEDY } from "../../runtime/safety/index.ts";
import type { Tandem } from "../../server/tandem.ts";

interface WorkOptions {
  readonly once?: boolean;
  readonly concurrency: number;
  readonly lease: number;
  readonly name?: string;
}

export function addWorkCommand(program: Command, within: Within): void {
  program
    .command("work")
    .summary("run workers, without a server")
    .description(
      "Turns captured writes, stored webhooks and polls into events, and processes them. Any number of\nthese can share one Postgres. The schema must exist: run `tandem migrate` first.",
    )
    .option("--once", "poll every connection, process until nothing is due, and exit; for cron")
    .option("--concurrency <number>", "events processed in parallel", wholeNumber(1, 1_000), 16)
    .option(
      "--lease <seconds>",
      "how long the lease on an event lasts after its worker died",
      wholeNumber(1, 3_600),
      60,
    )
    .option("--name <name>", "this worker's name in the ledger (default: worker-<pid>)")
    .addHelpText(
      "after",
      examples(["tandem work --concurrency 32", ""], ["tandem work --once", "from cron"]),
    )
    .action(within<[WorkOptions]>(work));
}

async function work(context: CommandContext, options: WorkOptions): Promise<void> {
  const { io } = context;
  const config = await loadConfig(io.cwd, context.settings.config);
  const opened = await openTandem(options.once === true ? unpaced(config) : config, {
    io,
    log: context.log("info"),
  });
  try {
    await refuseMisfit(opened.tandem);
    if (options.once === true) await workOnce(opened.tandem, context);
    else await workOn(opened.tandem, options, context);
  } finally {
    await opened.close();
  }
}

/** A run that ends in seconds must not leave edits behind that wait for `safety.writePause`. */
function unpaced(config: AnyConfig): AnyConfig {
  return { ...config, safety: { ...config.safety, writePause: false } };
}

/** Fails if the schema does not fit. A long-running worker would wait, but here a person waits for the result. */
async function refuseMisfit({ services }: Tandem): Promise<void> {
  const misfit = await services.store.schemaMismatch();
  if (misfit === null) return;
  throw new CliError(EXIT.database, misfit.code, misfit.message, misfit.hint);
}

/** Fails for a copied database, so that cron reports by the exit status that nothing was done. */
async function refuseForeign({ services }: Tandem): Promise<void> {
  const why = await services.instance.checkIdentity();
  if (why === null) return;
  throw new CliError(EXIT.refused, "foreign_instance", why, sayHint(FOREIGN_REMEDY, "command"));
}

async function workOnce(tandem: Tandem, context: CommandContext): Promise<void> {
  await refuseForeign(tandem);
  // First process what waits already: an integration whose poll fails must not delay it.
  const before = await tandem.settle();
  await tandem.syncNow();
  const after = await tandem.settle();
  const did = {
    deliveries: before.deliveries + after.deliveries,
    changes: before.changes + after.changes,
    events: before.events + after.events,
  };
  const { live } = await tandem.services.store.ledger.counts();
  context.answer({ ...did, live }, [
    `Translated ${countNoun(did.deliveries, "delivery", "deliveries")}, drained ${countNoun(did.changes, "captured write")}, processed ${countNoun(did.events, "event")}.`,
    `Left: ${live.queued} queued, ${live.errored} errored, ${live.disabled} disabled.`,
  ]);
}

async function workOn(
  tandem: Tandem,
  { concurrency, lease, name }: WorkOptions,
  context: CommandContext,
): Promise<void> {
  const worker = tandem.startWorker({
    concurrency,
    leaseMillis: lease * 1_000,
    ...(name === undefined ? {} : { name }),
  });
  context.answer({ working: true, concurrency }, [
    `Processing up to ${countNoun(concurrency, "event")} in parallel.`,
    context.paint.dim("Stop with Ctrl-C; running work finishes first."),
  ]);
  await untilInterrupted(context.io);
  await worker.stop();
}
