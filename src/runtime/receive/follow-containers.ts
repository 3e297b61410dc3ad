/**
 * Connections follow containers that are renamed, removed or restored, and installations that are suspended. A
 * connection that such a webhook switched off is switched on by its opposite. A connection that a person paused stays
 * paused.
 */
import { endedBy, SUSPENDED } from "../../engine/limits/index.ts";
import type { ContainerChange } from "../../integrations/integration.ts";
import type { DirectorySnapshot, Contact, Services } from "../services/index.ts";
import { enableConnection } from "../safety/index.ts";

export interface ContainerNews {
  readonly integration: string;
  readonly change: ContainerChange;
}

/** The connections that a change concerns and that must be updated. */
export function followersOf(
  { integration, change }: ContainerNews,
  book: DirectorySnapshot,
  { gateway }: Pick<Services, "gateway">,
): readonly Contact[] {
  switch (change.kind) {
    case "renamed":
      return book.ofContainer(integration, change.containerId);
    case "removed":
      return book
        .ofContainer(integration, change.containerId)
        .filter(({ connection: { pausedReason: why } }) => why === null || why === SUSPENDED);
    case "added":
      return book
        .ofContainer(integration, change.containerId)
        .filter(({ connection }) => endedBy(connection) === change.kind);
    case "suspended":
    case "unsuspended":
      return book.contacts.filter(
        ({ account, connection }) =>
          account.integration === integration &&
          (change.kind === "suspended"
            ? connection.pausedReason === null
            : endedBy(connection) === change.kind) &&
          gateway.installation(account) === change.installationId,
      );
  }
}

/** Whether the change is about a container that no connection covers. */
export function isUnknown(
  { integration, change }: ContainerNews,
  book: DirectorySnapshot,
): boolean {
  return "containerId" in change && book.ofContainer(integration, change.containerId).length === 0;
}

/** Updates the connections: a renamed container keeps its id, and a removed one is no longer accessible. */
export async function followContainer(
  news: ContainerNews,
  book: DirectorySnapshot,
  services: Services,
): Promise<void> {
  const { directory } = services.store;
  const { change } = news;
  for (const { connection } of followersOf(news, book, services)) {
    switch (change.kind) {
      case "renamed":
        await directory.updateConnection(connection.id, { containerName: change.name });
        break;
      case "removed":
      case "suspended":
        await directory.updateConnection(connection.id, {
          inbound: false,
          outbound: false,
          pausedReason: change.kind === "removed" ? change.why : SUSPENDED,
          accessAskedAt: null,
        });
        break;
      case "added":
      case "unsuspended":
        await enableConnection(services, connection.id);
    }
  }
}
