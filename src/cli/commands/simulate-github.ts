/** `tandem simulate github`: a GitHub on this machine, to try things on. */
import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../../runtime/services/index.ts";
import { createGitHubSimulator } from "../../testing/github/index.ts";
import { seededRandom } from "../../testing/random.ts";
import { type CommandContext, examples, wholeNumber, type Within } from "../context/index.ts";
import { untilInterrupted } from "../output/index.ts";

interface SimulateOptions {
  readonly port: number;
  readonly repository: string;
  readonly webhookUrl?: string;
  readonly webhookSecret: string;
  readonly seed?: number;
}

/** Tandem's own login, and a person's. */
const TOKENS = { bot: "simulated-bot-token", mona: "simulated-mona-token" };

export function addSimulateCommand(program: Command, within: Within): void {
  const simulate = program
    .command("simulate")
    .summary("run a simulated external system")
    .description("Runs a simulated external system, to try things on.");

  simulate
    .command("github")
    .summary("a stateful GitHub on this machine")
    .description(
      "Serves a GitHub on this machine that keeps issues and comments in memory: its REST API with\nETags, pages, rate limits and one-second times, and its signed webhooks.",
    )
    .option(
      "-p, --port <number>",
      "port to listen on; 0 chooses a free one",
      wholeNumber(0, 65_535),
      4401,
    )
    .option("--repository <owner/name>", "its repository", readRepository, "acme/site")
    .option(
      "--webhook-url <address>",
      "the address for its webhooks, such as http://127.0.0.1:4400/webhooks/github",
    )
    .option("--webhook-secret <text>", "the secret that signs webhooks", "simulated-secret")
    .option(
      "--seed <number>",
      "makes ids and delays repeatable (default: random; with a seed, a restart also repeats the ids of deliveries, which Tandem then knows already)",
      wholeNumber(0, 2 ** 32 - 1),
    )
    .addHelpText(
      "after",
      examples(["tandem simulate github --webhook-url http://127.0.0.1:4400/webhooks/github", ""]),
    )
    .action(within<[SimulateOptions]>(simulateGitHub));
}

async function simulateGitHub(context: CommandContext, options: SimulateOptions): Promise<void> {
  const { io, paint } = context;
  const { repository, webhookUrl, webhookSecret, seed } = options;
  const simulator = createGitHubSimulator({
    clock: systemClock,
    random: seed === undefined ? Math.random : seededRandom(seed),
  });
  const [owner = "", name = ""] = repository.split("/");
  simulator.createRepository({ owner, name });
  simulator.token(TOKENS.bot, { login: "tandem[bot]" });
  simulator.token(TOKENS.mona, { login: "mona" });
  const listening = await simulator.listen({ port: options.port });
  try {
    if (webhookUrl !== undefined) {
      simulator.addHook({ url: webhookUrl, secret: webhookSecret, repository });
    }
    const { url } = listening;
    const webhook = webhookUrl === undefined ? null : { url: webhookUrl, secret: webhookSecret };
    context.answer({ url, repository, tokens: TOKENS, webhook }, [
      `GitHub     ${paint.bold(url)}  (simulated; repository ${repository})`,
      `token      ${TOKENS.bot}  (tandem[bot]'s)`,
      webhook === null
        ? "webhooks   none; set their address with --webhook-url"
        : `webhooks   ${webhook.url}, signed with ${webhook.secret}`,
      "",
      "Connect:",
      `  $ export GITHUB_TOKEN=${TOKENS.bot}${webhook === null ? "" : ` GITHUB_WEBHOOK_SECRET=${webhook.secret}`}`,
      `  $ tandem connect github ${repository} --scope 1 --base-url ${url}${webhook === null ? "" : " --webhook-secret-env GITHUB_WEBHOOK_SECRET"}`,
      "Open an issue as mona:",
      `  $ curl ${url}/repos/${repository}/issues -H 'authorization: Bearer ${TOKENS.mona}' -d '{"title":"Broken link"}'`,
      "",
      paint.dim("Stop with Ctrl-C; all its data is lost."),
    ]);
    await untilInterrupted(io);
  } finally {
    await listening.close();
  }
}

function readRepository(text: string): string {
  if (/^[\w-]+\/[\w.-]+$/.test(text)) return text;
  throw new InvalidArgumentError("Write it as owner/name.");
}
