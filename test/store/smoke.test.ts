import { expect, it } from "vitest";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { openStore, laneOf, decide, readLane, aQueued } from "./opened-store.ts";
describeOnEachDatabase("smoke", (open) => {
  it("works", async () => {
    const opened = await openStore(await open());
    const { store, app } = opened;
    const lane = await laneOf(opened, "42");
    await decide(store, lane, (l, now) => ({ live: [aQueued(l, now)], base: { title: "x" } }));
    console.log(await readLane(store, lane));
    const due = await store.transaction((tx) => tx.lockDueLanes(10));
    expect(due.length).toBe(1);
    await app.sql("insert into tasks (title) values ('a'), ('b')");
    await app.sql("update tasks set card_position = 2");
    await app.sql("update tasks set title = 'c' where title = 'a'");
    console.log(await store.ledger.counts(), await store.ledger.nextDue());
    console.log(await store.transaction((tx) => tx.changes.take(10)));
    console.log(await store.ledger.events({ limit: 5 }));
    console.log(await app.sql("select * from tandem.github_issues"));
    await store.close();
  });
});
