/** Books that are opened at once share a read, but never one that began before they were asked for. */
import { expect, it } from "vitest";
import type { Connection } from "../../../src/model/connection.ts";
import { accountId, connectionId, laneId } from "../../../src/model/ids.ts";
import {
  type Contact,
  DirectorySnapshot,
  UnmappedLaneError,
} from "../../../src/runtime/services/directory-snapshot.ts";
import type { Hooks } from "../../../src/runtime/settings/index.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("address books", (open) => {
  it("a pause is seen by every book that is opened after it, whatever is being read", async () => {
    const app = await givenSampleTandem(await open());
    const { services } = app.tandem;
    const [connection] = (await DirectorySnapshot.open(services)).contacts.map(
      (one) => one.connection,
    );
    if (connection === undefined) throw new Error("there should be a connection");
    for (const [round, paused] of [true, false, true, false].entries()) {
      const before = Array.from({ length: 5 }, () => DirectorySnapshot.open(services));
      const change = paused
        ? app.tandem.pause(connection.id, `round ${String(round)}`)
        : app.tandem.enable(connection.id);
      const during = Array.from({ length: 5 }, () => DirectorySnapshot.open(services));
      await change;
      const after = await Promise.all(
        Array.from({ length: 5 }, () => DirectorySnapshot.open(services)),
      );
      expect(after.map((book) => book.contact(connection.id)?.connection.inbound)).toEqual(
        after.map(() => !paused),
      );
      expect(await Promise.all([...before, ...during])).toHaveLength(10);
    }
  });

  it("a pause that a worker notes is seen in the part for its account, asked for before or not", async () => {
    const app = await givenSampleTandem(await open());
    const { services } = app.tandem;
    const [contact] = (await DirectorySnapshot.open(services)).contacts;
    if (contact === undefined) throw new Error("there should be a connection");
    const { account, connection } = contact;
    const other = {
      account: { ...account, id: accountId("77") },
      connection: { ...connection, id: connectionId("78") },
    };
    const book = new DirectorySnapshot([contact, other], services);
    const state = () => book.ofAccounts([account.id]).contact(connection.id)?.account.state;
    expect(state()).toBe("active");
    book.noteAccount(account.id, { state: "paused", reason: "rate limit", pausedUntil: null });
    expect(state()).toBe("paused");
    expect(book.contact(other.connection.id)?.account.state).toBe("active");
  });

  it("twelve that are opened at once are two reads at most", async () => {
    const app = await givenSampleTandem(await open());
    const { services } = app.tandem;
    let reads = 0;
    const { directory } = services.store;
    const counting = {
      ...directory,
      accounts: () => {
        reads += 1;
        return directory.accounts();
      },
    };
    const counted = { ...services, store: { ...services.store, directory: counting } };
    const first = DirectorySnapshot.open(counted);
    await Promise.resolve();
    const books = Array.from({ length: 11 }, () => DirectorySnapshot.open(counted));
    await Promise.all([first, ...books]);
    expect(reads).toBeLessThanOrEqual(2);
  });
});

describeOnOneDatabase("a snapshot of the directory", (open) => {
  it("finds connections by id, container and scope, each of its integration", async () => {
    const { contact, services } = await givenContact(await open());
    const at = (id: string, changes: Partial<Connection>): Contact => ({
      ...contact,
      connection: { ...contact.connection, id: connectionId(id), ...changes },
    });
    const [own, mirror, other] = [
      contact,
      at("78", { containerId: "mirror" }),
      at("79", { integration: "other" }),
    ];
    const book = new DirectorySnapshot([own, mirror, other], services);
    const { containerId, scope, integration } = own.connection;
    expect(book.contacts).toEqual([own, mirror, other]);
    expect(book.contact(connectionId("78"))).toBe(mirror);
    expect(book.contact(connectionId("80"))).toBeNull();
    expect(book.ofContainer(integration, containerId)).toEqual([own]);
    expect(book.ofContainer("other", containerId)).toEqual([other]);
    expect(book.ofContainer(integration, "mirror")).toEqual([mirror]);
    expect(book.ofContainer(integration, "nowhere")).toEqual([]);
    expect(book.ofScope(integration, scope)).toEqual([own, mirror]);
    expect(book.ofScope("other", scope)).toEqual([other]);
    expect(book.ofScope(integration, "2")).toEqual([]);
  });

  it("knows whether accounts share it, and has a part for each", async () => {
    const { contact, services } = await givenContact(await open());
    const theirs: Contact = {
      account: { ...contact.account, id: accountId("77") },
      connection: { ...contact.connection, id: connectionId("78") },
    };
    const book = new DirectorySnapshot([contact, theirs], services);
    expect(book.isShared).toBe(true);
    const part = book.ofAccounts([accountId("77")]);
    expect(part.contacts).toEqual([theirs]);
    expect(part.isShared).toBe(false);
    expect(book.ofAccounts([accountId("77")])).toBe(part);
    expect(book.ofAccounts([contact.account.id, accountId("77")])).toBe(book);
    expect(book.ofAccounts([]).contacts).toEqual([]);
    const limited = { state: "paused", reason: "limit", pausedUntil: null } as const;
    book.noteAccount(accountId("77"), limited);
    expect(book.contacts.map(({ account }) => account.state)).toEqual(["active", "paused"]);
    expect(book.ofAccounts([accountId("77")]).contacts[0]?.account).toMatchObject(limited);
  });

  it("maps a lane by its connection, and refuses the context of one that is not mapped", async () => {
    const { contact, services } = await givenContact(await open());
    const book = new DirectorySnapshot([contact], services);
    const [tasks, comments] = services.mappings;
    const lane = { id: laneId("5"), connectionId: contact.connection.id, resourceType: "issue" };
    expect(book.mapping(lane)).toBe(tasks);
    expect(book.mapping({ ...lane, resourceType: "issue_comment" })).toBe(comments);
    expect(book.mapping({ ...lane, resourceType: "pull_request" })).toBeNull();
    expect(book.mapping({ ...lane, connectionId: connectionId("9") })).toBeNull();
    if (tasks === undefined || comments === undefined) throw new Error("both are mapped");
    expect([book.parentMapping(tasks), book.parentMapping(comments)]).toEqual([null, tasks]);
    expect(book.mayHaveChildren({ recordType: "tasks" })).toBe(true);
    expect(book.mayHaveChildren({ recordType: "comments" })).toBe(false);
    const at = services.clock.now();
    expect(book.context(lane, at)).toEqual({
      ...{ mapping: tasks, now: at, newId: expect.any(Function) as () => string },
      switchedOff: { inbound: null, outbound: null },
      identity: contact.account.identity,
      clockOffset: contact.account.clockOffset,
      quarantine: services.safety.quarantine,
      writePause: services.safety.writePause,
      readFreshness: services.safety.readFreshness,
    });
    for (const unmapped of [{ resourceType: "pull_request" }, { connectionId: connectionId("9") }])
      expect(() => book.context({ ...lane, ...unmapped }, at)).toThrow(
        new UnmappedLaneError("lane 5 has no connection or mapping any more"),
      );
  });

  it("tells which directions of a connection are switched off", async () => {
    const { contact, services } = await givenContact(await open());
    const off = (changes: Partial<Connection>) => {
      const connection = { ...contact.connection, ...changes };
      const book = new DirectorySnapshot([{ ...contact, connection }], services);
      const lane = { id: laneId("5"), connectionId: connection.id, resourceType: "issue" };
      return book.context(lane, services.clock.now()).switchedOff;
    };
    const why = "connection_paused";
    expect(off({ inbound: false })).toEqual({ inbound: why, outbound: null });
    expect(off({ outbound: false })).toEqual({ inbound: null, outbound: why });
  });

  it("lets a batch process lanes that need only the database: no hooks, and nothing to pair", async () => {
    const { contact, services } = await givenContact(await open());
    const [tasks] = services.mappings;
    if (tasks === undefined) throw new Error("tasks are mapped");
    const lane = { connectionId: contact.connection.id, resourceType: "issue", recordId: null };
    const may = (
      changes: Partial<Connection>,
      hooks = services.hooks,
      recordId: string | null = null,
    ) =>
      new DirectorySnapshot([{ ...contact, connection: { ...contact.connection, ...changes } }], {
        ...services,
        hooks,
      }).mayBatch({ ...lane, recordId });
    expect(may({})).toBe(true);
    expect(may({ pairing: ["issue_comment"] })).toBe(true);
    expect(may({ pairing: ["issue"] })).toBe(false);
    expect(may({ pairing: ["issue"] }, services.hooks, "1")).toBe(true);
    const none: Hooks = { derive: null, apply: null, afterCommit: null, defaults: () => ({}) };
    const withHook = (hook: Partial<Hooks>) => may({}, new Map([[tasks, { ...none, ...hook }]]));
    expect(withHook({})).toBe(true);
    expect(withHook({ derive: () => ({}) })).toBe(false);
    expect(withHook({ apply: () => Promise.resolve("1") })).toBe(false);
    expect(withHook({ afterCommit: () => undefined })).toBe(false);
    const book = new DirectorySnapshot([contact], services);
    expect(book.mayBatch({ ...lane, resourceType: "pull_request" })).toBe(false);
  });

  it("knows whether a record has no other lane, no journal and no identity", async () => {
    const { contact, services } = await givenContact(await open());
    const [tasks, comments] = services.mappings;
    if (tasks === undefined || comments === undefined) throw new Error("both are mapped");
    const lane = { connectionId: contact.connection.id };
    const mirror = {
      ...contact,
      connection: { ...contact.connection, id: connectionId("78") },
    };
    const elsewhere = { ...mirror, connection: { ...mirror.connection, scope: "2" } };
    const isOnly = (changes: Partial<typeof services> = {}, contacts = [contact]) =>
      new DirectorySnapshot(contacts, { ...services, ...changes }).isOnlyLane(lane, tasks);
    expect(isOnly()).toBe(true);
    expect(isOnly({}, [contact, elsewhere])).toBe(true);
    expect(isOnly({}, [contact, mirror])).toBe(false);
    expect(isOnly({ mappings: [tasks, { ...tasks }, comments] })).toBe(false);
    expect(isOnly({ mappings: [comments] })).toBe(false);
    const journal = { recordType: "tasks", columns: [] };
    expect(isOnly({ journals: [journal] as unknown as typeof services.journals })).toBe(false);
    const others = [{ ...journal, recordType: "comments" }];
    expect(isOnly({ journals: others as unknown as typeof services.journals })).toBe(true);
    const { identities } = services;
    if (identities === null) throw new Error("the sample has identities");
    expect(isOnly({ identities: { ...identities, table: "tasks" } })).toBe(false);
    expect(isOnly({ identities: null })).toBe(true);
  });
});

/** The sample's only connection, with what applies to it. */
async function givenContact(database: TestDatabase) {
  const { services } = (await givenSampleTandem(database)).tandem;
  const [contact] = (await DirectorySnapshot.open(services)).contacts;
  if (contact === undefined) throw new Error("there should be a connection");
  return { contact, services };
}
