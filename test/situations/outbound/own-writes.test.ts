/** A write of Tandem's to a record is no local edit, but the app's change to it is. */
import { expect, it } from "vitest";
import type { AnyConfig } from "../../../src/config.ts";
import { describeOnOneMigratedDatabase } from "../../harness/databases.ts";
import { givenIssue, journaled } from "../../harness/sample-tandem.ts";

describeOnOneMigratedDatabase("a write of our own", (open) => {
  it("that a trigger of the app answers with another: that one is sent, once", async () => {
    const app = await givenIssue(await open(), "Old");
    await app.sql(`
      create function stress() returns trigger language plpgsql as $$ begin
        update tasks set title = new.title || '!' where id = new.id and title not like '%!';
        return null;
      end $$;
      create trigger stress after update of title on tasks for each row execute function stress()`);

    app.github.as("mona").editIssue(app.repo, 1, { title: "New" });
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "New!" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "New!" });
    expect((await app.story()).slice(1)).toEqual([
      "inbound completed updated_record",
      "outbound completed updated_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(1);
  });

  // A table with a journal has each write captured, whoever wrote it, and drained.
  it.each([
    ["told by who writes it", (config: AnyConfig) => config],
    ["captured", journaled],
  ])("%s, is not later than an edit at GitHub that was made before it", async (_, change) => {
    const app = await givenIssue(await open(), "Old", change);
    const { id } = await app.task();
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
    await app.advance(5_000);
    // Moved in its list since: our write leaves the app's own stamp as it is, and says no time.
    await app.sql("update tasks set position = 7, modified_at = tandem.now() where id = $1", [id]);
    await app.advance(5_000);
    // A person without a network changes the title; their device will send the change with its time.
    const [{ offline } = { offline: "" }] = await app.sql<{ offline: string }>(
      "select tandem.now()::text as offline",
    );
    await app.advance(10_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
    await app.advance(10_000);
    const [first, second] = app.held();
    if (first === undefined || second === undefined) throw new Error("two webhooks should wait");
    await app.release(first);
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "First" });

    await app.sql("update tasks set title = 'Offline', modified_at = $1 where id = $2", [
      offline,
      id,
    ]);
    await app.release(second);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Second" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Second" });
    const [, , last] = await app.events("direction=inbound");
    expect(last).toMatchObject({
      state: "completed",
      reason: "updated_record",
      conflicts: [{ field: "title", winner: "resource", kept: "Second", lost: "Offline" }],
    });
    expect(app.writes()).toBe(0);
  });
});
