/**
 * Asks the provider whether what switched a connection off still holds, and follows the answer as if
 * its news had come. One request an installation, and one more for each container that it was without.
 */
import { asksForAccess, endedBy } from "../../engine/limits/index.ts";
import type { ContainerChange } from "../../integrations/integration.ts";
import type { Connection } from "../../model/connection.ts";
import type { AccountRecord } from "../../store/store.ts";
import { AddressBook, type Services, describeError } from "../services/index.ts";
import { followContainer, followersOf } from "./follow-containers.ts";

/** Asks for every connection whose turn it is; returns how many go on. */
export async function askForAccess(services: Services, signal?: AbortSignal): Promise<number> {
  const { directory, ledger } = services.store;
  const book = await AddressBook.open(services);
  const now = await ledger.now();
  const due = book.contacts.filter(({ connection }) => asksForAccess(connection, now));
  let regained = 0;
  const accounts = new Map(due.map(({ account }) => [account.id, account]));
  for (const account of accounts.values()) {
    const asked = due
      .filter((contact) => contact.account.id === account.id)
      .map(({ connection }) => connection);
    // Noted before it is asked: a provider that fails, or a crash, does not make it more often.
    for (const connection of asked) {
      await directory.updateConnection(connection.id, { accessAskedAt: now });
    }
    try {
      regained += await askFor(services, account, asked, signal);
    } catch (thrown) {
      if (signal?.aborted === true) return regained;
      services.log.warn(
        { account: account.name, ...describeError(thrown) },
        "whether an installation may be used again could not be asked; it is in an hour",
      );
    }
  }
  return regained;
}

/** What an account's provider says that the webhooks did not. */
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
    // Somebody may have paused one while the provider was asked.
    const book = await AddressBook.open(services);
    const followers = followersOf(news, book, services);
    await followContainer(news, book, services);
    for (const { connection } of followers) {
      services.log.info(
        {
          connection: connection.id,
          container: connection.containerName,
          was: connection.pausedReason,
        },
        "a connection goes on: the provider says so, though no webhook did",
      );
    }
    regained += followers.length;
  }
  return regained;
}
