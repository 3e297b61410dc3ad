/** Finds a connection by its id, or by its container if only one connection has it. */
import type { ApiConnection } from "../../server/protocol/index.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";

/** @throws CliError if no connection fits, or several do. */
export function findConnection(
  connections: readonly ApiConnection[],
  wanted: string,
): ApiConnection {
  const byId = connections.find(({ id }) => id === wanted);
  if (byId !== undefined) return byId;
  const name = wanted.toLowerCase();
  const [found, ...others] = connections.filter(
    ({ container }) => container.toLowerCase() === name,
  );
  if (found === undefined) {
    const known = connections.map(({ container, id }) => `${container} (${id})`).join(", ");
    throw new CliError(
      EXIT.notFound,
      "no_connection",
      `there is no connection ${wanted}`,
      known === "" ? "Make one with `tandem connect`." : `There are: ${known}.`,
    );
  }
  if (others.length === 0) return found;
  const several = [found, ...others].map(({ id, scope }) => `${id} (scope ${scope})`);
  throw new CliError(
    EXIT.usage,
    "several_connections",
    `${wanted} is connected to several scopes`,
    `Give the connection's id: ${several.join(", ")}.`,
  );
}
