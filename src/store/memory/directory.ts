/** Accounts and connections. */
import { isPairing } from "../../model/backfill.ts";
import { accountId, connectionId } from "../../model/ids.ts";
import { storableValue } from "../database/index.ts";
import type { Directory } from "../store.ts";
import { allBackfills } from "./backfills.ts";
import type { MemoryState } from "./tables/index.ts";
import { ConstraintError } from "./tables/index.ts";

/** The part of the directory that a transaction looks up; `read` runs each look-up on the state. */
export function lookedUp(
  state: MemoryState,
  read: <T>(work: () => T) => Promise<T>,
): Pick<Directory, "accounts" | "connections" | "contacts"> {
  const connections = () =>
    inOrder(state.connections.rows()).map((connection) => ({
      ...connection,
      pairing: allBackfills(state)
        .filter((one) => one.connectionId === connection.id && isPairing(one))
        .map(({ resourceType }) => resourceType),
    }));
  return {
    accounts: () => read(() => inOrder(state.accounts.rows())),
    connections: () => read(connections),
    contacts: () =>
      read(() =>
        connections().flatMap((connection) => {
          const account = state.accounts.get(connection.accountId);
          return account === undefined ? [] : [{ connection, account }];
        }),
      ),
  };
}

export function memoryDirectory(state: MemoryState): Directory {
  return {
    ...lookedUp(state, (work) => state.transaction(work)),
    backfills: () => state.transaction(() => allBackfills(state)),
    saveAccount: ({ integration, name, ...given }) =>
      state.transaction(() => {
        const known = state.accounts
          .rows()
          .find((account) => account.integration === integration && account.name === name);
        const id = known?.id ?? accountId(state.count("account"));
        state.accounts.put({
          state: "active",
          reason: null,
          pausedUntil: null,
          identity: null,
          clockOffset: 0,
          budget: null,
          ...known,
          id,
          integration,
          name,
          credentials: own(given.credentials),
          webhookSecrets: own(given.webhookSecrets),
        });
        return id;
      }),
    saveConnection: ({ accountId: account, integration, containerId, containerName, scope }) =>
      state.transaction(() => {
        if (state.accounts.get(account) === undefined) {
          throw new ConstraintError("23503", `there is no account ${account}`);
        }
        const known = state.connections
          .rows()
          .find(
            (connection) =>
              connection.integration === integration &&
              connection.containerId === containerId &&
              connection.scope === scope,
          );
        const id = known?.id ?? connectionId(state.count("connection"));
        state.connections.put({
          inbound: true,
          outbound: true,
          pausedReason: null,
          highWater: {},
          etags: {},
          polledAt: null,
          polledWellAt: null,
          pollError: null,
          sweptAt: null,
          localSweptAt: null,
          untrackedRecords: null,
          accessAskedAt: null,
          ...known,
          id,
          accountId: account,
          integration,
          containerId,
          containerName,
          scope,
        });
        return id;
      }),
    updateAccount: (id, changes) =>
      state.transaction(() => {
        const known = state.accounts.get(id);
        if (known !== undefined) state.accounts.put({ ...known, ...given(changes) });
      }),
    updateConnection: (id, changes) =>
      state.transaction(() => {
        const known = state.connections.get(id);
        if (known !== undefined) state.connections.put({ ...known, ...given(changes) });
      }),
  };
}

/** Secrets come from the app's code, which may go on to change them. */
function own<T>(value: T): T {
  return storableValue(structuredClone(value));
}

/** The parts that are to be changed; a part that is `undefined` stays as it is. */
function given<T extends object>(changes: T): { [Part in keyof T]?: Exclude<T[Part], undefined> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as {
    [Part in keyof T]?: Exclude<T[Part], undefined>;
  };
}

function inOrder<T extends { readonly id: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => Number(a.id) - Number(b.id));
}
