/** The server of `start` and `serve`: its options, its start, and its first output. */
import { type Command, InvalidArgumentError } from "commander";
import type { Tandem } from "../../server/tandem.ts";
import { type CommandContext, wholeNumber } from "./command-context.ts";
import type { HttpServer } from "./http-server.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "../output/index.ts";
import { startHttpServer } from "./http-server.ts";

export interface ServingOptions {
  readonly port: number;
  readonly host: string;
}

export const DEFAULT_HOST = "127.0.0.1";

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

export function addServingOptions(command: Command): Command {
  return command
    .option(
      "-p, --port <number>",
      "port to listen on; 0 chooses a free one",
      wholeNumber(0, 65_535),
      4400,
    )
    .option(
      "--host <address>",
      "address to listen on; 0.0.0.0 accepts other machines, and then the API needs TANDEM_API_TOKEN",
      readHost,
      DEFAULT_HOST,
    );
}

function readHost(text: string): string {
  if (text !== "" && !/[\s/]/.test(text)) return text;
  throw new InvalidArgumentError("Give an address of this machine, such as 127.0.0.1 or 0.0.0.0.");
}

/** The API token from the environment. */
export function apiTokenOf({ io }: CommandContext): { readonly apiToken?: string } {
  const token = io.env.TANDEM_API_TOKEN ?? "";
  return token === "" ? {} : { apiToken: token };
}

/** @throws CliError if other machines could use an API without a token. */
export function refuseOpenApi({ host }: Pick<ServingOptions, "host">, env: Io["env"]): void {
  const hasToken = (env.TANDEM_API_TOKEN ?? "") !== "";
  if (hasToken || LOOPBACK_HOST.test(host)) return;
  throw new CliError(
    EXIT.usage,
    "token_needed",
    `on ${host} other machines can reach the server, and its API would need no token`,
    "Set TANDEM_API_TOKEN to a long random text, such as the output of `openssl rand -hex 32`. Webhooks need no token.",
  );
}

export async function serve(tandem: Tandem, options: ServingOptions): Promise<HttpServer> {
  return startHttpServer(tandem.fetch, options);
}

/** The facts about a running server, for scripts. */
export interface Serving {
  readonly url: string;
  readonly api: string;
  readonly webhooks: Readonly<Record<string, string>>;
  readonly database: "postgres" | "pglite" | "memory";
  readonly working: boolean;
}

export function describeServing(tandem: Tandem, url: string): Serving {
  const integrations = [...tandem.services.integrations.keys()];
  return {
    url,
    api: `${url}/api/status`,
    webhooks: Object.fromEntries(integrations.map((name) => [name, `${url}/webhooks/${name}`])),
    database: tandem.services.store.kind,
    working: tandem.working(),
  };
}

/** The same for people, with the settings that are left for them to make. */
export function servingLines(serving: Serving, context: CommandContext): readonly string[] {
  const { paint } = context;
  return [
    `dashboard  ${paint.bold(serving.url)}`,
    ...Object.entries(serving.webhooks).map(([name, url]) => `webhooks   ${url}  (from ${name})`),
    "           Content type application/json, with the secret that `tandem connect` names. Behind",
    "           localhost, use a tunnel; without webhooks the poll brings changes within a minute.",
    `database   ${serving.database}`,
    `workers    ${serving.working ? "in this process" : "none here; run `tandem work`"}`,
    paint.dim("Stop with Ctrl-C; running work finishes first."),
  ];
}
