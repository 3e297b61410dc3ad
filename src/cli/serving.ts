/** The server of `start` and `serve`: its options, its start, and what it says about itself. */
import { type Command, InvalidArgumentError } from "commander";
import type { Tandem } from "../server/tandem.ts";
import { type CommandContext, wholeNumber } from "./command-context.ts";
import type { HttpServer } from "./http-server.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "./io.ts";
import { listen } from "./http-server.ts";

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
      "where to listen; 0 takes any port",
      wholeNumber(0, 65_535),
      4400,
    )
    .option(
      "--host <address>",
      "where to listen; 0.0.0.0 is reachable from elsewhere, and then the API needs TANDEM_API_TOKEN",
      readHost,
      DEFAULT_HOST,
    );
}

function readHost(text: string): string {
  if (text !== "" && !/[\s/]/.test(text)) return text;
  throw new InvalidArgumentError("It is an address of this machine, such as 127.0.0.1 or 0.0.0.0.");
}

/** What the environment says about the API. */
export function apiTokenOf({ io }: CommandContext): { readonly apiToken?: string } {
  const token = io.env.TANDEM_API_TOKEN ?? "";
  return token === "" ? {} : { apiToken: token };
}

/** @throws CliError where others could reach an API that asks for no token. */
export function refuseOpenApi({ host }: Pick<ServingOptions, "host">, env: Io["env"]): void {
  const hasToken = (env.TANDEM_API_TOKEN ?? "") !== "";
  if (hasToken || LOOPBACK_HOST.test(host)) return;
  throw new CliError(
    EXIT.usage,
    "token_needed",
    `on ${host} the server can be reached from elsewhere, and its API would ask for no token`,
    "Set TANDEM_API_TOKEN to a long random text, such as the output of `openssl rand -hex 32`; webhooks need none.",
  );
}

export async function serve(tandem: Tandem, options: ServingOptions): Promise<HttpServer> {
  return listen(tandem.fetch, options);
}

/** What a server that runs says of itself, for a script. */
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

/** The same for people, with what they have to set up. */
export function servingLines(serving: Serving, context: CommandContext): readonly string[] {
  const { paint } = context;
  return [
    `dashboard  ${paint.bold(serving.url)}`,
    ...Object.entries(serving.webhooks).map(([name, url]) => `webhooks   ${url}  (from ${name})`),
    "           Content type application/json, with the secret named by `tandem connect`. Behind",
    "           localhost, use a tunnel; without webhooks the poll brings changes within a minute.",
    `database   ${serving.database}`,
    `workers    ${serving.working ? "in this process" : "none here; run `tandem work`"}`,
    paint.dim("Stop with Ctrl-C; what is under way is finished first."),
  ];
}
