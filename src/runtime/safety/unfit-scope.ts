/**
 * Connections whose scope no record can have (situation 71). `tandem connect` refuses such a scope. If the row is
 * deleted later, or the column's type changes, the connection is switched off with the reason and its events wait. It
 * is switched on again once the scope fits.
 */
import {
  type Connection,
  describeMisfit,
  isOffForScope,
  unfitReason,
  type UnfitScope,
} from "../../model/connection.ts";
import type { Mapping } from "../../model/mapping.ts";
import { RecordWriteError } from "../../store/rules/index.ts";
import type { Claimed, DirectorySnapshot, Services } from "../services/index.ts";
import { UnfitScopeError } from "../failures/index.ts";
import { enableConnection } from "./enable-connection.ts";

type Scoped = Pick<Connection, "integration" | "scope">;

/**
 * Returns the error, or an `UnfitScopeError` if the table refused a record because of its connection's scope. Then the
 * connection is switched off, because the table would refuse every other new record too.
 */
export async function blameScope(
  services: Services,
  claimed: Claimed,
  book: DirectorySnapshot,
  thrown: unknown,
): Promise<unknown> {
  if (!(thrown instanceof RecordWriteError) || claimed.direction !== "inbound") return thrown;
  const [lane] = await services.store.transaction((tx) => tx.lockLanes([claimed.lane]));
  const contact = lane === undefined ? null : book.contact(lane.connectionId);
  const unfit = contact === null ? null : await findUnfitScope(services, contact.connection);
  if (contact === null || unfit === null) return thrown;
  await services.store.directory.updateConnection(contact.connection.id, {
    inbound: false,
    outbound: false,
    pausedReason: unfitReason(unfit),
  });
  return new UnfitScopeError(unfit, thrown);
}

/** Switches connections on again whose scope fits by now; returns how many. */
export async function resumeFitScopes(services: Services): Promise<number> {
  const connections = await services.store.directory.connections();
  let resumed = 0;
  for (const connection of connections) {
    if (!isOffForScope(connection.pausedReason)) continue;
    if ((await findUnfitScope(services, connection)) !== null) continue;
    await enableConnection(services, connection.id);
    const { id, containerName: container, pausedReason: was } = connection;
    services.log.info(
      { connection: id, container, was },
      "a connection was switched on again because its scope fits",
    );
    resumed += 1;
  }
  return resumed;
}

/** Checks the scope of an existing or new connection; `null`: the scope fits. */
export function findUnfitScope(
  services: Services,
  { integration, scope }: Scoped,
): Promise<UnfitScope | null> {
  const scoped = services.mappings.filter(
    (mapping: Mapping) => mapping.integration === integration && mapping.scopeColumn !== null,
  );
  return services.store.transaction(async ({ records }) => {
    for (const mapping of scoped) {
      const misfit = await records.misfitOfScope(mapping, scope);
      if (misfit !== null) return describeMisfit(mapping, scope, misfit);
    }
    return null;
  });
}
