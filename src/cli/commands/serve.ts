/** `tandem serve`: webhooks, API and dashboard, without workers. */
import type { Command } from "commander";
import {
  addServingOptions,
  apiTokenOf,
  type CommandContext,
  describeServing,
  examples,
  loadConfig,
  openTandem,
  refuseOpenApi,
  serve,
  servingLines,
  type ServingOptions,
  type Within,
} from "../context/index.ts";
import { untilInterrupted } from "../output/index.ts";

export function addServeCommand(program: Command, within: Within): void {
  addServingOptions(program.command("serve"))
    .summary("receive webhooks and serve the dashboard, without workers")
    .description(
      "Runs the webhook receiver, the API and the dashboard, but no workers. Any number of these and of\n`tandem work` can share one Postgres. The schema must exist: run `tandem migrate` first.",
    )
    .addHelpText("after", examples(["tandem serve --host 0.0.0.0 --port 8080", ""]))
    .action(within<[ServingOptions]>(serveOnly));
}

async function serveOnly(context: CommandContext, options: ServingOptions): Promise<void> {
  const { io } = context;
  refuseOpenApi(options, io.env);
  const config = await loadConfig(io.cwd, context.settings.config);
  const opened = await openTandem(config, {
    io,
    log: context.log("info"),
    ...apiTokenOf(context),
  });
  try {
    const server = await serve(opened.tandem, options);
    opened.announce(server.url);
    const serving = describeServing(opened.tandem, server.url);
    context.answer(serving, servingLines(serving, context));
    await untilInterrupted(io);
    await server.close();
  } finally {
    await opened.close();
  }
}
