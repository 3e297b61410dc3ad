/**
 * The commands' way to read and change the ledger, always through the API. A running server is asked over
 * HTTP; without one, the same handler runs in this process.
 */
import { z } from "zod";
import type { AnyConfig } from "../../config.ts";
import { type ActName, ACTS, sayHint } from "../../model/acts/hint.ts";
import type { Log } from "../../runtime/services/index.ts";
import type {
  ApiAudit,
  ApiBackfills,
  ApiEvent,
  ApiEvents,
  ApiExplanation,
  ApiReconciliation,
  ApiSessions,
  ApiStatus,
} from "../../server/protocol/index.ts";
import { calledFrom } from "../../server/access/index.ts";
import { COMMAND_LINE, systemUser } from "./command-line-act.ts";
import { DataDirectoryHeldError } from "./data-directory-lock.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "../output/index.ts";
import { loadConfig } from "./load-config.ts";
import { openTandem } from "./open-tandem.ts";

export interface EventFilter {
  readonly state?: string;
  readonly direction?: string;
  /** `tasks:42` */
  readonly record?: string;
  readonly connection?: string;
  readonly before?: string;
  readonly limit?: number;
}

export interface AuditFilter {
  /** `connection.pause` */
  readonly act?: string;
  readonly before?: string;
  readonly limit?: number;
}

export interface LedgerAccess {
  /** The server that answers; `null` if this process does. */
  readonly server: string | null;
  status(): Promise<ApiStatus>;
  events(filter: EventFilter): Promise<ApiEvents>;
  event(id: string): Promise<ApiEvent>;
  restart(event: string): Promise<ApiEvent>;
  cancel(event: string): Promise<ApiEvent>;
  explain(recordType: string, recordId: string): Promise<ApiExplanation>;
  pause(connection: string): Promise<ApiStatus>;
  enable(connection: string): Promise<ApiStatus>;
  approve(run: string): Promise<ApiStatus>;
  approveInstance(): Promise<ApiStatus>;
  reject(run: string): Promise<ApiStatus>;
  enableRecord(recordType: string, recordId: string): Promise<ApiExplanation>;
  reconcile(connection: string, dryRun: boolean): Promise<ApiReconciliation>;
  backfill(connection: string): Promise<ApiBackfills>;
  backfills(): Promise<ApiBackfills>;
  audit(filter: AuditFilter): Promise<ApiAudit>;
  sessions(): Promise<ApiSessions>;
  /** Ends one login or, without an id, all; returns the remaining ones. */
  revokeSessions(id: string | null): Promise<ApiSessions>;
}

export interface AccessOptions {
  readonly io: Io;
  readonly log: Log;
  readonly config?: string | undefined;
  /** The address of a running server. If it is given, no configuration is loaded. */
  readonly url?: string | undefined;
}

type Ask = (request: Request) => Promise<Response>;

/** Calls `use` with the ledger, and closes afterwards what was opened for it. */
export async function withLedger<T>(
  options: AccessOptions,
  use: (ledger: LedgerAccess) => Promise<T>,
): Promise<T> {
  const { io, url } = options;
  if (url !== undefined) return use(ledgerOver(askServer(url, io), url, url));
  const config = await loadConfig(io.cwd, options.config);
  try {
    return await inThisProcess(config, options, use);
  } catch (error) {
    const server = error instanceof DataDirectoryHeldError ? error.holder?.url : undefined;
    if (server == null) throw error;
    return use(ledgerOver(askServer(server, io), server, server));
  }
}

async function inThisProcess<T>(
  config: AnyConfig,
  { io, log }: AccessOptions,
  use: (ledger: LedgerAccess) => Promise<T>,
): Promise<T> {
  let cause = "";
  const remembering: Log = {
    debug: (details, message) => log.debug(details, message),
    info: (details, message) => log.info(details, message),
    warn: (details, message) => log.warn(details, message),
    error: (details, message) => {
      if ("error" in details) cause = String(details.error);
      log.error(details, message);
    },
  };
  // A process that can open the database needs no token.
  const opening = { io, log: remembering, authorize: () => systemUser(io) };
  const { tandem, close } = await openTandem(config, opening);
  const ask: Ask = async (request) => {
    const response = await tandem.fetch(request, calledFrom(COMMAND_LINE));
    if (response.status !== 503) return response;
    // The handler hides the cause from clients, but a user who can open the database may see it.
    throw new CliError(
      EXIT.database,
      "unavailable",
      `the database did not answer: ${cause}`,
      "Run the command again; --log-level error shows more.",
    );
  };
  try {
    return await use(ledgerOver(ask, "http://localhost", null));
  } finally {
    await close();
  }
}

function ledgerOver(ask: Ask, base: string, server: string | null): LedgerAccess {
  async function send<T>(method: "GET" | "POST", path: string): Promise<T> {
    const response = await ask(new Request(new URL(path, base), { method }));
    const body: unknown = await response.json().catch(() => null);
    // A cast, because `api-types.ts` is the contract between server and CLI.
    if (response.ok && body !== null) return body as T;
    throw refusal(response.status, body, base);
  }
  const idPath = (collection: string, id: string): string =>
    `api/${collection}/${encodeURIComponent(id)}`;
  return {
    server,
    status: () => send("GET", "api/status"),
    events: (filter) => send("GET", `api/events?${query(filter)}`),
    event: (id) => send("GET", idPath("events", id)),
    restart: (id) => send("POST", `${idPath("events", id)}/restart`),
    cancel: (id) => send("POST", `${idPath("events", id)}/cancel`),
    explain: (type, id) => send("GET", `${idPath("explain", type)}/${encodeURIComponent(id)}`),
    pause: (id) => send("POST", `${idPath("connections", id)}/pause`),
    enable: (id) => send("POST", `${idPath("connections", id)}/enable`),
    approve: (id) => send("POST", `${idPath("runs", id)}/approve`),
    approveInstance: () => send("POST", "api/instance/approve"),
    reject: (id) => send("POST", `${idPath("runs", id)}/reject`),
    enableRecord: (type, id) =>
      send("POST", `${idPath("records", type)}/${encodeURIComponent(id)}/enable`),
    reconcile: (id, dryRun) =>
      send("POST", `${idPath("connections", id)}/reconcile?dry_run=${String(dryRun)}`),
    backfill: (id) => send("POST", `${idPath("connections", id)}/backfill`),
    backfills: () => send("GET", "api/backfills"),
    audit: (filter) => send("GET", `api/audit?${query(filter)}`),
    sessions: () => send("GET", "api/sessions"),
    revokeSessions: (id) =>
      send("POST", id === null ? "api/sessions/revoke" : `${idPath("sessions", id)}/revoke`),
  };
}

function query(filter: EventFilter | AuditFilter): string {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

function askServer(url: string, { env }: Io): Ask {
  const token = env.TANDEM_API_TOKEN;
  return async (request) => {
    if (token !== undefined && token !== "")
      request.headers.set("authorization", `Bearer ${token}`);
    try {
      return await fetch(request);
    } catch (error) {
      throw new CliError(
        EXIT.database,
        "server_unreachable",
        `the Tandem server at ${url} does not answer`,
        "Start the server, or read its log. If another program now has its process id, delete the .lock file beside the data directory.",
        { cause: error },
      );
    }
  };
}

const hintPart = z.union([
  z.string(),
  z.object({
    act: z.custom<ActName>((name) => typeof name === "string" && Object.hasOwn(ACTS, name)),
    of: z.array(z.string()),
  }),
]);

const problemShape = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    // A server of another version may name acts that this CLI does not have: its text is shown then.
    hint_parts: z.array(hintPart).optional().catch(undefined),
  }),
});

const EXIT_BY_STATUS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.usage,
  401: EXIT.refused,
  403: EXIT.refused,
  404: EXIT.notFound,
  409: EXIT.refused,
};

function refusal(status: number, body: unknown, base: string): CliError {
  const problem = problemShape.safeParse(body);
  if (!problem.success) {
    return new CliError(
      EXIT.failed,
      "not_tandem",
      `${base} answered ${String(status)}, but not as a Tandem server does`,
      "Check the address; `tandem start` prints it.",
    );
  }
  const { code, message, hint, hint_parts: parts } = problem.data.error;
  const remedy = sayHint(parts ?? hint, "command");
  return new CliError(EXIT_BY_STATUS[status] ?? EXIT.failed, code, message, remedy);
}
