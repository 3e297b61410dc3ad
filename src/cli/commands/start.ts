/** `tandem start`: everything in one process; with `--demo`, also a sample app and a simulated GitHub. */
import { join } from "node:path";
import type { Command } from "commander";
import { startDemo } from "../../demo/demo.ts";
import {
  addServingOptions,
  apiTokenOf,
  CliError,
  type CommandContext,
  DEFAULT_HOST,
  describeServing,
  examples,
  EXIT,
  loadConfig,
  lockDataDirectory,
  openTandem,
  refuseOpenApi,
  serve,
  servingLines,
  type ServingOptions,
  wholeNumber,
  type Within,
} from "../context/index.ts";
import { untilInterrupted } from "../output/index.ts";

interface StartOptions extends ServingOptions {
  readonly concurrency: number;
  readonly demo?: boolean;
  readonly open?: boolean;
}

const GITHUB_PORT = 4401;

export function addStartCommand(program: Command, within: Within): void {
  addServingOptions(program.command("start"))
    .summary("run everything in one process")
    .description(
      "Migrates the database, then runs workers, the webhook receiver, the API and the dashboard in one\nprocess. For several processes on one Postgres, see `tandem work` and `tandem serve`.",
    )
    .option("--concurrency <number>", "events processed in parallel", wholeNumber(1, 1_000), 16)
    .option("--open", "open the dashboard in the browser (default: on a terminal, outside CI)")
    .option("--no-open", "do not open it")
    .option(
      "--demo",
      "a sample app, a simulated GitHub and Tandem between them; no configuration needed. With GITHUB_TOKEN and GITHUB_REPOSITORY set it syncs with that repository at the real GitHub",
    )
    .addHelpText(
      "after",
      examples(
        ["tandem start --demo", "see it work; edit both sides, make trouble"],
        ["tandem start", "sync what tandem.config.ts maps"],
        ["tandem start --host 0.0.0.0", "receive webhooks from other machines"],
      ),
    )
    .action(
      within<[StartOptions]>((context, options) =>
        options.demo === true ? startWithDemo(context, options) : start(context, options),
      ),
    );
}

async function start(context: CommandContext, options: StartOptions): Promise<void> {
  const { io } = context;
  refuseOpenApi(options, io.env);
  const config = await loadConfig(io.cwd, context.settings.config);
  const opened = await openTandem(config, {
    io,
    log: context.log("info"),
    migrates: true,
    ...apiTokenOf(context),
  });
  const { tandem } = opened;
  let worker: ReturnType<typeof tandem.startWorker> | null = null;
  try {
    const server = await serve(tandem, options);
    worker = tandem.startWorker({ concurrency: options.concurrency });
    opened.announce(server.url);
    const serving = describeServing(tandem, server.url);
    context.answer(serving, servingLines(serving, context));
    openDashboard(context, options, server.url);
    await untilInterrupted(io);
    server.refuse();
    await worker.stop();
    await server.close();
  } finally {
    await opened.close();
  }
}

async function startWithDemo(context: CommandContext, options: StartOptions): Promise<void> {
  const { io, paint } = context;
  if (options.host !== DEFAULT_HOST) {
    throw new CliError(
      EXIT.usage,
      "demo_is_local",
      "the demo listens on this machine only: it has no login",
      "Leave --host out.",
    );
  }
  const dataDir = join(io.cwd, ".tandem", "demo");
  const lock = lockDataDirectory(dataDir);
  try {
    const github = realGitHub(context);
    const demo = await startDemo({
      port: options.port,
      githubPort: GITHUB_PORT,
      host: DEFAULT_HOST,
      dataDir,
      github,
      log: context.log("warn"),
    });
    lock.announce(demo.url);
    context.answer({ url: demo.url, github: demo.githubUrl, data: dataDir }, [
      `dashboard  ${paint.bold(demo.url)}`,
      `github     ${demo.githubUrl}  (${github === null ? "simulated" : `${github.repository}, the real one, by polling`})`,
      `data       ${dataDir}  (delete it to start over)`,
      `explain    tandem explain tasks 1 --url ${demo.url}`,
      paint.dim("Stop with Ctrl-C; the next start continues with the same data."),
    ]);
    openDashboard(context, options, demo.url);
    await untilInterrupted(io);
    await demo.close();
  } finally {
    lock.release();
  }
}

/** The real GitHub, if the environment names a repository and a token for it. */
function realGitHub({ io }: CommandContext) {
  const { GITHUB_TOKEN: token, GITHUB_REPOSITORY: repository, GITHUB_API_URL: baseUrl } = io.env;
  if ((token ?? "") === "" || (repository ?? "") === "") return null;
  return {
    token: token ?? "",
    repository: repository ?? "",
    ...(baseUrl === undefined || baseUrl === "" ? {} : { baseUrl }),
  };
}

function openDashboard({ io }: CommandContext, { open }: StartOptions, url: string): void {
  const isWatched = io.stdout.isTTY === true && (io.env.CI ?? "") === "";
  if (open ?? isWatched) io.openBrowser(url);
}
