/** Books that are opened at once share a read, but never one that began before they were asked for. */
import { expect, it } from "vitest";
import { DirectorySnapshot } from "../../../src/runtime/services/directory-snapshot.ts";
import { accountId, connectionId } from "../../../src/model/ids.ts";
import { describeOnEachDatabase } from "../../harness/databases.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

describeOnEachDatabase("address books", (open) => {
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
