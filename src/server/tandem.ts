/** `createTandem`: the composed core with a request handler that any framework can mount. */
import type { RequestListener } from "node:http";
import { composeTandem, type TandemCore, type TandemOptions } from "../compose.ts";
import type { AnyConfig } from "../config.ts";
import { type Failpoints, NO_FAILPOINTS } from "../runtime/services/index.ts";
import type { Store } from "../store/store.ts";
import type { HandlerOptions } from "./access/index.ts";
import { parseBasePath } from "./base-path.ts";
import { createHandler, type RequestHandler } from "./handler.ts";
import { nodeListener } from "./node-listener.ts";
import { type RecordStatus, statusOf } from "./status-of.ts";

export interface Tandem<Names extends string = string> extends TandemCore {
  /**
   * The state of records by id, with one round trip for all of them.
   *
   * @example
   * const status = await tandem.statusOf("tasks", tasks.map((task) => task.id));
   * for (const task of tasks) badge(task, status[task.id]?.state); // "in_sync", "pending", ...
   */
  statusOf(
    recordType: Names,
    ids: readonly (string | number | bigint)[],
  ): Promise<Readonly<Record<string, RecordStatus>>>;
  /** A web-standard handler: webhooks, API and dashboard. */
  readonly fetch: RequestHandler;
  /**
   * The same handler as a request listener of Node: `createServer(tandem.listener)`, or in Express
   * `app.use("/ops/tandem", tandem.listener)`. Mount it before body parsers: a webhook's signature is over the bytes
   * of its body, and a body that was read before is answered with `body_already_read`.
   */
  readonly listener: RequestListener;
}

/**
 * Opens Tandem on a configuration.
 *
 * @example
 * const tandem = await createTandem(config);
 * await tandem.migrate();
 * const worker = tandem.startWorker();
 * // mount tandem.fetch or tandem.listener, and on the way out:
 * await tandem.stop();
 * @throws ConfigError on an option that cannot be used: `code`, `path` and `hint` name it and the remedy
 */
export async function createTandem<Config extends AnyConfig>(
  config: Config,
  options: TandemOptions & HandlerOptions = {},
): Promise<Tandem<keyof Config["records"] & string>> {
  return assembleTandem(config, options, NO_FAILPOINTS);
}

/** `createTandem` with failpoints and a wrapped store: for the test kit and the command line, not for users. */
export async function assembleTandem<Config extends AnyConfig>(
  config: Config,
  options: TandemOptions & HandlerOptions,
  failpoints: Failpoints,
  wrapStore?: (store: Store) => Store,
): Promise<Tandem<keyof Config["records"] & string>> {
  // Before anything is opened that a refusal would have to close.
  const basePath = parseBasePath(options.basePath);
  const core = await composeTandem(config, options, failpoints, wrapStore);
  const fetch = createHandler(core, { ...tokenOf(options), ...options }, basePath);
  return {
    ...core,
    statusOf: (recordType, ids) => statusOf(core.services.store, recordType, ids),
    fetch,
    listener: nodeListener(fetch),
  };
}

/** The token from the environment, if the options have none; an empty variable counts as unset. */
function tokenOf({ environment = process.env }: TandemOptions): HandlerOptions {
  const token = environment.TANDEM_API_TOKEN ?? "";
  return token === "" ? {} : { apiToken: token };
}
