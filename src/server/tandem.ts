/** `createTandem`: the composed core with the request handler that mounts in any framework. */
import { composeTandem, type TandemCore, type TandemOptions } from "../compose.ts";
import type { AnyConfig } from "../config.ts";
import { createHandler, type HandlerOptions } from "./handler.ts";

export interface Tandem extends TandemCore {
  /** A web-standard handler: webhooks, API and dashboard. */
  readonly fetch: (request: Request) => Promise<Response>;
}

/**
 * Opens Tandem on a configuration.
 *
 * @example
 * const tandem = await createTandem(config);
 * await tandem.migrate();
 * const worker = tandem.startWorker();
 * // mount tandem.fetch, and on the way out:
 * await tandem.stop();
 */
export async function createTandem(
  config: AnyConfig,
  options: TandemOptions & HandlerOptions = {},
): Promise<Tandem> {
  const core = await composeTandem(config, options);
  return { ...core, fetch: createHandler(core, options) };
}
