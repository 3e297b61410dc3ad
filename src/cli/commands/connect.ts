/** `tandem connect`: connects a container of an account to a scope value of the app. */
import type { Command } from "commander";
import type { Tandem } from "../../server/tandem.ts";
import type { AccountRecord } from "../../store/store.ts";
import {
  CliError,
  type CommandContext,
  examples,
  EXIT,
  loadConfig,
  openTandem,
  recordCommand,
  type Within,
} from "../context/index.ts";

interface ConnectOptions {
  readonly scope: string;
  readonly account?: string;
  readonly tokenEnv?: string;
  readonly appId?: string;
  readonly privateKeyEnv?: string;
  readonly installationId?: string;
  readonly baseUrl?: string;
  readonly webhookSecretEnv?: string;
}

const DEFAULT_TOKEN = "GITHUB_TOKEN";

export function addConnectCommand(program: Command, within: Within): void {
  program
    .command("connect")
    .summary("connect a repository to a scope of your app")
    .description(
      "Connects a container, such as a repository, to one value of the mapping's scope column: the issues\nof acme/site to the tasks whose project_id is 42. Checks the access and prints the account's login.\n\nSecrets are not stored: name the environment variables that hold them where Tandem runs.\nRun it again to update the account's credentials.",
    )
    .argument("<integration>", "its name in the configuration, such as github")
    .argument("<container>", "a repository's owner/name, or its numeric id")
    .requiredOption("--scope <value>", "the scope column's value, such as 42")
    .option("--account <name>", "the account's name here (default: the repository's owner)")
    .option(
      "--token-env <variable>",
      `the environment variable with a token (default: ${DEFAULT_TOKEN})`,
    )
    .option("--app-id <id>", "a GitHub App's id, instead of a token")
    .option("--private-key-env <variable>", "the environment variable with the App's private key")
    .option("--installation-id <id>", "the App's installation")
    .option("--base-url <address>", "the API's address, such as https://github.example.com/api/v3")
    .option("--webhook-secret-env <variable>", "the environment variable with the webhooks' secret")
    .addHelpText(
      "after",
      examples(
        ["tandem connect github acme/site --scope 42", "with the token in GITHUB_TOKEN"],
        [
          "tandem connect github acme/site --scope 42 --app-id 1234 --private-key-env APP_KEY --installation-id 5678",
          "",
        ],
      ),
    )
    .action(within<[string, string, ConnectOptions]>(connect));
}

async function connect(
  context: CommandContext,
  integration: string,
  container: string,
  options: ConnectOptions,
): Promise<void> {
  const { io } = context;
  const config = await loadConfig(io.cwd, context.settings.config);
  if (!Object.hasOwn(config.integrations, integration)) {
    throw new CliError(
      EXIT.usage,
      "unknown_integration",
      `the configuration has no integration ${integration}`,
      `It has: ${Object.keys(config.integrations).join(", ")}.`,
    );
  }
  const opened = await openTandem(config, { io, log: context.log("silent") });
  try {
    await connectWith(opened.tandem, integration, container, options, context);
  } finally {
    await opened.close();
  }
}

async function connectWith(
  tandem: Tandem,
  integration: string,
  container: string,
  options: ConnectOptions,
  context: CommandContext,
): Promise<void> {
  const { directory } = tandem.services.store;
  const name = options.account ?? accountNameOf(container, integration);
  const isNamed = (account: AccountRecord): boolean =>
    account.integration === integration && account.name === name;
  const known = (await directory.accounts()).find(isNamed);
  const secret = namedSecret(options.webhookSecretEnv);
  const connection = await tandem.connect({
    account: {
      name,
      integration,
      credentials: credentialsOf(options, known?.credentials),
      ...(secret === undefined ? {} : { webhookSecret: secret }),
    },
    container,
    scope: options.scope,
  });
  await recordCommand(tandem.services.store.audit, context.io, {
    act: "connection.connect",
    subject: connection.id,
  });
  const account = (await directory.accounts()).find(isNamed);
  if (account === undefined) throw new Error(`account ${name} was not saved`);
  // Ask instead of using a cached identity: the credentials may be new.
  const identity = await tandem.services.gateway.account(account).identity();
  const { id, containerId, containerName, scope } = connection;
  context.answer(
    {
      connection: { id, integration, account: name, container: containerName, containerId, scope },
      identity,
    },
    [
      `Connected ${containerName} (${integration} ${containerId}) to scope ${scope}, as ${identity.login}.`,
      `connection ${id}`,
      secret === undefined
        ? "No webhook secret is configured, so Tandem refuses webhooks and polls for changes. To configure one, use --webhook-secret-env."
        : `Set the webhook's address to /webhooks/${integration} of the server.`,
    ],
  );
}

/** Most repositories of an owner use the same login. */
function accountNameOf(container: string, integration: string): string {
  const [owner, name] = container.split("/");
  return owner !== undefined && name !== undefined && owner !== "" ? owner : integration;
}

/** Credentials from the options; without any, those of the saved account, or a token. */
function credentialsOf(options: ConnectOptions, known: unknown): unknown {
  const { tokenEnv, appId, privateKeyEnv, installationId, baseUrl } = options;
  const forApp = [appId, privateKeyEnv, installationId].filter((part) => part !== undefined);
  if (forApp.length > 0 && (forApp.length < 3 || tokenEnv !== undefined)) {
    throw new CliError(
      EXIT.usage,
      "credentials_incomplete",
      "an App needs --app-id, --private-key-env and --installation-id, without --token-env",
      "See `tandem connect --help`.",
    );
  }
  const at = baseUrl === undefined ? {} : { baseUrl };
  if (forApp.length > 0) {
    return { appId, privateKey: { env: privateKeyEnv }, installationId, ...at };
  }
  if (tokenEnv === undefined && baseUrl === undefined && known !== undefined) return known;
  return { token: { env: tokenEnv ?? DEFAULT_TOKEN }, ...at };
}

function namedSecret(variable: string | undefined): object | undefined {
  return variable === undefined ? undefined : { env: variable };
}
