/** Situation 60: people write on a surplus resource before it is closed. */
import { expect, it } from "vitest";
import { sweepDue } from "../../../src/runtime/reconcile/sweep.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { outliveSender, POST_ISSUE } from "../../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const DAY_MS = 24 * 3_600_000;

/** A task whose issue was created twice: 1 is its counterpart, 2 has just landed. */
async function givenSurplus(app: SampleTandem): Promise<string> {
  const id = await app.addTask({ title: "Posted twice", markdown: "Text" });
  const late = await outliveSender(app, POST_ISSUE);
  await app.tandem.sweepNow();
  late.apply();
  return id;
}

describeOnOneDatabase("a surplus issue", (open) => {
  it("S60 is closed by the next look of the sweep, long before its day is over, and once", async () => {
    const app = await givenSampleTandem(await open());
    await givenSurplus(app);
    expect(await sweepDue(app.tandem.services, DAY_MS)).toBe(0);
    await app.settle();
    expect(await sweepDue(app.tandem.services, DAY_MS)).toBe(1);
    await app.settle();

    const states = () => app.github.issues(app.repo).map(({ state }) => state);
    expect(states()).toEqual(["open", "closed"]);
    expect(await app.tasks()).toHaveLength(1);
    // Nothing is uncertain, so the next sweep comes a day later, and not within minutes.
    await app.advance(DAY_MS - 60_000);
    expect(await sweepDue(app.tandem.services, DAY_MS)).toBe(0);
    await app.advance(60_000);
    expect(await sweepDue(app.tandem.services, DAY_MS)).toBe(1);
  });

  it("S60 the same if its webhook comes together with one that cannot be ingested", async () => {
    const app = await givenSampleTandem(await open());
    await givenSurplus(app);
    await app.sql(`
      create function refuses_third() returns trigger language plpgsql as $$
      begin
        if new.external_id = '3' then raise exception 'not this one'; end if;
        return new;
      end $$;
      create trigger refuses_third before insert on tandem.lanes
        for each row execute function refuses_third()`);
    app.github.as("mona").openIssue(app.repo, { title: "Refused" });
    await app.settle();
    expect((await app.storedDeliveries()).map(({ state }) => state)).toContain("failed");
    await app.sql("drop trigger refuses_third on tandem.lanes");
    expect(await sweepDue(app.tandem.services, DAY_MS)).toBe(1);
    await app.settle();
    expect(app.github.issues(app.repo).map(({ state }) => state)).toEqual([
      "open",
      "closed",
      "open",
    ]);
  });

  it("S60 the same where only a poll shows it", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.webhooks.drop = 1;
    await givenSurplus(app);
    await app.settle();
    await app.tandem.syncNow();
    expect(await sweepDue(app.tandem.services, DAY_MS)).toBe(1);
    await app.settle();
    expect(app.github.issues(app.repo).map(({ state }) => state)).toEqual(["open", "closed"]);
  });

  it("S60 is commented on and edited: the comment is the record's, and the edit is named", async () => {
    const app = await givenSampleTandem(await open());
    const id = await givenSurplus(app);
    await app.settle();
    app.github.as("mona").comment(app.repo, 2, "Written below the second");
    await app.advance(1_000);
    app.github.as("mona").editIssue(app.repo, 2, { title: "Edited in the second" });
    await app.settle();
    await sweepDue(app.tandem.services, DAY_MS);
    await app.settleWithin(10);

    expect(app.github.issues(app.repo).map(({ state }) => state)).toEqual(["open", "closed"]);
    expect(await app.comments()).toMatchObject([
      { task_id: id, markdown: "Written below the second" },
    ]);
    expect(await app.tasks()).toMatchObject([{ id, title: "Posted twice" }]);
    const conflicts = (await app.events(`record=tasks:${id}`)).flatMap((event) => event.conflicts);
    expect(conflicts).toContainEqual({
      ...{ field: "title", winner: "record", why: "created_twice" },
      ...{ kept: "Posted twice", lost: "Edited in the second" },
    });
    const { actions } = await app.tandem.reconcile(app.connection.id, { dryRun: true });
    expect(actions).toEqual([]);
  });
});
