/** An immutable snapshot of accounts, connections and mappings, from which the engine's context is made. */
import type { Context } from "../../engine/lane/index.ts";
import type { Clock } from "../../model/clock.ts";
import type { Account, Connection } from "../../model/connection.ts";
import type { AccountId, ConnectionId } from "../../model/ids.ts";
import type { Instant } from "../../model/instant.ts";
import type { Lane } from "../../model/lane.ts";
import type { Mapping } from "../../model/mapping.ts";
import type { Contact, Directory, FirstLook } from "../../store/store.ts";
import { mapBy } from "./grouping.ts";
import { type Hooks, mappingOfResource, NO_HOOKS, type Rules } from "../settings/index.ts";

export type { Contact };

/** A lane belongs to a connection or mapping that is no longer configured. */
export class UnmappedLaneError extends Error {
  override readonly name = "UnmappedLaneError";
}

/** The directory that a snapshot is read from, with the rules that apply to it. */
type Reader = Rules & { readonly store: { readonly directory: Directory } };

/** How long a later caller waits for a read in progress before it starts its own on another connection. */
const PATIENCE_MS = 1_000;

/** A read of a directory that has not begun yet; every caller before its beginning shares it. */
const upcoming = new WeakMap<Directory, Promise<readonly Contact[]>>();
/** The read in progress. A later caller must not share it: it may be older than a change that was just made. */
const underWay = new WeakMap<Directory, Promise<void>>();

/** Reads the directory once for all callers that ask meanwhile: a wake-up makes every loop open a snapshot. */
function readShared({ store: { directory }, clock }: Reader): Promise<readonly Contact[]> {
  const shared = upcoming.get(directory);
  if (shared !== undefined) return shared;
  const before = underWay.get(directory);
  const begun = (before === undefined ? Promise.resolve() : atMost(before, clock)).then(() => {
    upcoming.delete(directory);
    const read = directory.contacts();
    // Every caller that shares the read gets its failure; this promise only marks the end.
    const ended = read.then(
      () => undefined,
      () => undefined,
    );
    underWay.set(directory, ended);
    void ended.then(() => {
      if (underWay.get(directory) === ended) underWay.delete(directory);
    });
    return read;
  });
  upcoming.set(directory, begun);
  return begun;
}

function atMost(ended: Promise<void>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(PATIENCE_MS, resolve);
    void ended.then(() => {
      cancel();
      resolve();
    });
  });
}

/** Contacts with indexes, because every event of a batch looks one up, and there may be many contacts. */
interface Listed {
  readonly contacts: readonly Contact[];
  readonly byId: ReadonlyMap<ConnectionId, Contact>;
  readonly byContainer: ReadonlyMap<string, readonly Contact[]>;
  readonly byScope: ReadonlyMap<string, readonly Contact[]>;
}

function listed(contacts: readonly Contact[]): Listed {
  const by = (key: (connection: Connection) => string) =>
    mapBy(contacts, ({ connection }) => key(connection));
  return {
    contacts,
    byId: new Map(contacts.map((contact) => [contact.connection.id, contact])),
    byContainer: by(({ containerId }) => containerId),
    byScope: by(({ scope }) => scope),
  };
}

/** A snapshot of the directory. Take a new one for each step, so that a pause takes effect immediately. */
export class DirectorySnapshot {
  readonly #rules: Rules;
  #listed: Listed;
  /** Cached parts by their accounts, because the deliveries of a batch ask for the same ones. */
  readonly #parts = new Map<string, DirectorySnapshot>();

  constructor(contacts: readonly Contact[], rules: Rules) {
    this.#rules = rules;
    this.#listed = listed(contacts);
  }

  get contacts(): readonly Contact[] {
    return this.#listed.contacts;
  }

  /** Whether the connections belong to several accounts. */
  get isShared(): boolean {
    return new Set(this.contacts.map(({ account }) => account.id)).size > 1;
  }

  static async open(reader: Reader): Promise<DirectorySnapshot> {
    return new DirectorySnapshot(await readShared(reader), reader);
  }

  /** Opens a snapshot within a transaction: on its connection, and consistent with its other reads. */
  static async openWithin(
    { directory }: Pick<FirstLook, "directory">,
    rules: Rules,
  ): Promise<DirectorySnapshot> {
    return new DirectorySnapshot(await directory.contacts(), rules);
  }

  /** The part of the snapshot for these accounts: a delivery may only concern the accounts whose secret signed it. */
  ofAccounts(accounts: readonly AccountId[]): DirectorySnapshot {
    const key = accounts.join(" ");
    const kept = this.#parts.get(key);
    if (kept !== undefined) return kept;
    const theirs = this.contacts.filter(({ account }) => accounts.includes(account.id));
    const isAll = theirs.length === this.contacts.length;
    const part = isAll ? this : new DirectorySnapshot(theirs, this.#rules);
    this.#parts.set(key, part);
    return part;
  }

  /** Applies a change of an account for all users of this snapshot, so that they stop sending immediately. */
  noteAccount(id: AccountId, changes: Pick<Account, "state" | "reason" | "pausedUntil">): void {
    const noted = this.contacts.map((contact) =>
      contact.account.id === id
        ? { ...contact, account: { ...contact.account, ...changes } }
        : contact,
    );
    this.#listed = listed(noted);
    this.#parts.clear();
  }

  contact(id: ConnectionId): Contact | null {
    return this.#listed.byId.get(id) ?? null;
  }

  /** Connections of a container; several scopes may share one. */
  ofContainer(integration: string, containerId: string): readonly Contact[] {
    const here = this.#listed.byContainer.get(containerId) ?? [];
    return here.filter(({ connection }) => connection.integration === integration);
  }

  /** Connections that a scope value selects. */
  ofScope(integration: string, scope: string): readonly Contact[] {
    const here = this.#listed.byScope.get(scope) ?? [];
    return here.filter(({ connection }) => connection.integration === integration);
  }

  mapping(lane: Pick<Lane, "connectionId" | "resourceType">): Mapping | null {
    const contact = this.contact(lane.connectionId);
    if (contact === null) return null;
    return mappingOfResource(this.#rules, contact.connection.integration, lane.resourceType);
  }

  /** The mapping of a child mapping's parents; `null` for a mapping without parents. */
  parentMapping({ integration, resource }: Mapping): Mapping | null {
    if (resource.parent === null) return null;
    return mappingOfResource(this.#rules, integration, resource.parent);
  }

  /** The clock that measures the app's own code. */
  get clock(): Clock {
    return this.#rules.clock;
  }

  hooks(mapping: Mapping): Hooks {
    return this.#rules.hooks.get(mapping) ?? NO_HOOKS;
  }

  /** Whether inbound events of the lane need only the database, so that a batch can process them. */
  mayBatch(lane: Pick<Lane, "connectionId" | "resourceType" | "recordId">): boolean {
    const mapping = this.mapping(lane);
    if (mapping === null) return false;
    const { derive, apply, afterCommit } = this.hooks(mapping);
    if (derive !== null || apply !== null || afterCommit !== null) return false;
    const pairing = this.contact(lane.connectionId)?.connection.pairing ?? [];
    return lane.recordId !== null || !pairing.includes(lane.resourceType);
  }

  /** Whether a write to the lane's record concerns no other lane, no journal and no identities. */
  isOnlyLane({ connectionId }: Pick<Lane, "connectionId">, { recordType }: Mapping): boolean {
    const { mappings, journals, identities } = this.#rules;
    const scope = this.contact(connectionId)?.connection.scope ?? "";
    return (
      mappings.filter((mapping) => mapping.recordType === recordType).length === 1 &&
      !journals.some((journal) => journal.recordType === recordType) &&
      identities?.table !== recordType &&
      this.#listed.byScope.get(scope)?.length === 1
    );
  }

  /** Whether records of the lane's type can have children. */
  mayHaveChildren({ recordType }: Pick<Lane, "recordType">): boolean {
    return this.#rules.mappings.some(({ parent }) => parent?.recordType === recordType);
  }

  /** The engine's context for a lane. */
  context(lane: Pick<Lane, "id" | "connectionId" | "resourceType">, now: Instant): Context {
    const contact = this.contact(lane.connectionId);
    const mapping = this.mapping(lane);
    if (contact === null || mapping === null) {
      throw new UnmappedLaneError(`lane ${lane.id} has no connection or mapping any more`);
    }
    const { connection, account } = contact;
    return {
      mapping,
      now,
      newId: () => this.#rules.newEventId(now),
      switchedOff: {
        inbound: connection.inbound ? null : "connection_paused",
        outbound: connection.outbound ? null : "connection_paused",
      },
      identity: account.identity,
      clockOffset: account.clockOffset,
      quarantine: this.#rules.safety.quarantine,
      writePause: this.#rules.safety.writePause,
      readFreshness: this.#rules.safety.readFreshness,
    };
  }
}
