/**
 * Asks the provider whether the reason that switched a connection off still holds, and follows the answer like a
 * webhook. It costs one request per installation, and one for each container that was removed from it.
 */
import { asksForAccess, endedBy } from "../../engine/limits/index.ts";
import type { ContainerChange } from "../../integrations/integration.ts";
import type { Connection } from "../../model/connection.ts";
import type { AccountRecord } from "../../store/store.ts";
import { DirectorySnapshot, type Services } from "../services/index.ts";
import { describeError } from "../failures/index.ts";
import { followContainer, followersOf } from "./follow-containers.ts";

/** Asks for every connection that is due; returns how many were switched on again. */
export async function askForAccess(services: Services, signal?: AbortSignal): Promise<number> {
  const { directory, ledger } = services.store;
  const book = await DirectorySnapshot.open(services);
  const now = await ledger.now();
  const due = book.contacts.filter(({ connection }) => asksForAccess(connection, now));
  let regained = 0;
  const accounts = new Map(due.map(({ account }) => [account.id, account]));
  for (const account of accounts.values()) {
    const asked = due
      .filter((contact) => contact.account.id === account.id)
      .map(({ connection }) => connection);
    // Save the time before the request, so that a failing provider or a crash does not cause more requests.
    for (const connection of asked) {
      await directory.updateConnection(connection.id, { accessAskedAt: now });
    }
    try {
      regained += await askFor(services, account, asked, signal);
    } catch (thrown) {
      if (signal?.aborted === true) return regained;
      services.log.warn(
        { account: account.name, ...describeError(thrown) },
        "the provider could not be asked whether an installation may be used again; Tandem asks in an hour",
      );
    }
  }
  return regained;
}

/** Asks one account's provider, and follows the changes that no webhook reported. */
async function askFor(
  services: Services,
  account: AccountRecord,
  connections: readonly Connection[],
  signal: AbortSignal | undefined,
): Promise<number> {
  const client = services.gateway.account(account).installation;
  const installationId = services.gateway.installation(account);
  if (client === undefined || installationId === null) return 0;
  if ((await client.state(signal)) !== "active") return 0;
  const changes: ContainerChange[] = [];
  if (connections.some((connection) => endedBy(connection) === "unsuspended")) {
    changes.push({ kind: "unsuspended", installationId });
  }
  for (const connection of connections) {
    const { containerId, containerName: name } = connection;
    if (endedBy(connection) !== "added" || !(await client.includes(containerId, signal))) continue;
    changes.push({ kind: "added", containerId, name });
  }
  let regained = 0;
  for (const change of changes) {
    const news = { integration: account.integration, change };
    // A person may have paused a connection during the request.
    const book = await DirectorySnapshot.open(services);
    const followers = followersOf(news, book, services);
    await followContainer(news, book, services);
    for (const { connection } of followers) {
      services.log.info(
        {
          connection: connection.id,
          container: connection.containerName,
          was: connection.pausedReason,
        },
        "a connection was switched on again: the provider allows it, although no webhook said so",
      );
    }
    regained += followers.length;
  }
  return regained;
}
