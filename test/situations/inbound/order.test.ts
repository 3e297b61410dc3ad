/** Situations 6 to 8, 11 and 12: webhooks in any order, within one second, and beside local edits. */
import { expect, it } from "vitest";
import type { Delivery } from "../../../src/testing/github/index.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { twoOf } from "../../harness/webhooks.ts";
import { withConflictPolicy } from "../../harness/sample-policies.ts";

describeOnOneDatabase("the order of what comes in", (open) => {
  for (const order of ["as they happened", "the later first"] as const) {
    it(`S6 two different edits within one second, ${order}: the later content ends in the record`, async () => {
      const app = await givenOpenIssue(await open(), "Old");
      app.holdWebhooks();
      app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
      app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
      const [first, second] = twoOf(app.held());
      expect(JSON.parse(first.body)).toMatchObject({ issue: { title: "First" } });
      expect(timeIn(first)).toBe(timeIn(second));

      for (const delivery of order === "as they happened" ? [first, second] : [second, first]) {
        await app.release(delivery);
        await app.settle();
      }

      expect(await app.task()).toMatchObject({ title: "Second" });
      expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Second" });
      expect(await app.copiedTitle(1)).toBe("Second");
      const [, one, two] = await app.events();
      if (order === "as they happened") {
        expect(one).toMatchObject({ state: "completed", reason: "updated_record" });
        expect(two).toMatchObject({ state: "completed", reason: "updated_record" });
      } else {
        expect(one).toMatchObject({ state: "completed", reason: "updated_record" });
        // The read that it caused found newer content than its own.
        expect(two).toMatchObject({ state: "duplicate", reason: "nothing_new", changes: [] });
        expect(two?.duplicate_of).toBe(one?.id);
        expect(two?.content).toMatchObject({ title: "Second" });
      }
      expect(app.writes()).toBe(0);
      // Equal times do not tell which is later: the second is read again.
      expect(app.reads()).toBe(1);
    });
  }

  it("S6 both edits of one second in one batch: one is superseded, the later content ends in the record", async () => {
    const app = await givenOpenIssue(await open(), "Old");
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
    app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
    const [first, second] = twoOf(app.held());
    await app.release(second, first);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Second" });
    const [, one, two] = await app.events();
    expect(one).toMatchObject({ state: "canceled", reason: "superseded", canceled_by: two?.id });
    expect(two).toMatchObject({ state: "completed", reason: "updated_record" });
    expect(app.writes()).toBe(0);
    expect(app.reads()).toBe(1);
  });

  it("S7 an older event after a newer one: ignored, cause named, nothing errored", async () => {
    const app = await givenOpenIssue(await open(), "Old");
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "First" });
    await app.advance(5_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Second" });
    const [first, second] = twoOf(app.held());

    await app.release(second);
    await app.settle();
    await app.release(first);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Second" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Second" });
    expect(await app.copiedTitle(1)).toBe("Second");
    const [, newer, older] = await app.events();
    expect(newer).toMatchObject({ state: "completed", reason: "updated_record" });
    expect(older).toMatchObject({
      state: "ignored",
      reason: "later_event",
      ignored_for_id: newer?.id,
      ignored_for_type: "events",
      error: null,
      conflicts: [],
    });
    expect(app.writes()).toBe(0);
    // Tandem had not seen the first: GitHub's clock may have stepped back.
    expect(app.reads()).toBe(1);
  });

  it("S8 an event older than what we sent: neither record nor cached copy goes back", async () => {
    const app = await givenOpenIssue(await open(), "Old");
    app.holdWebhooks();
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs", body: "theirs" });
    app.github.as("mona").editIssue(app.repo, 1, { title: "Old", body: "" });
    const [stale] = twoOf(app.held());
    await app.advance(5_000);
    const { id } = await app.task();
    await app.editTask(id, { title: "Ours" });
    await app.settle();
    expect(app.writes()).toBe(1);

    await app.release(stale);
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Ours", markdown: "" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours", body: "" });
    expect(await app.copiedTitle(1)).toBe("Ours");
    const [, sent, ignored] = await app.events();
    expect(sent).toMatchObject({ state: "completed", reason: "updated_resource" });
    expect(ignored).toMatchObject({
      state: "ignored",
      reason: "later_event",
      ignored_for_id: sent?.id,
      ignored_for_type: "events",
    });
    expect(app.writes()).toBe(1);
  });

  it("S8 an event older than an unsent edit of the record, where the record wins whole: ignored for the record", async () => {
    const app = await givenOpenIssue(await open(), "Old", "record");
    app.github.as("mona").editIssue(app.repo, 1, { title: "Theirs" });
    await app.advance(5_000);
    const { id } = await app.task();
    await app.editTask(id, { title: "Ours" });
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Ours" });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours" });
    expect(await app.copiedTitle(1)).toBe("Ours");
    // The merge has queued an event before the drain did: that one is superseded.
    const [, ignored, , sent] = await app.events();
    expect(ignored).toMatchObject({
      state: "ignored",
      reason: "record_is_newer",
      ignored_for_id: id,
      ignored_for_type: "tasks",
      conflicts: [
        {
          field: "title",
          winner: "record",
          kept: "Ours",
          lost: "Theirs",
          why: "record_is_newer",
        },
      ],
    });
    expect(sent).toMatchObject({ state: "completed", reason: "updated_resource" });
    expect(app.writes()).toBe(1);
  });

  for (const conflict of ["field", "record"] as const) {
    it(`S11 a comment bumps the issue's time while a local title edit waits (conflict: ${conflict}): the edit survives`, async () => {
      const app = await givenOpenIssue(await open(), "Old", conflict);
      const { id } = await app.task();
      // The edit is captured, queued, and cannot leave.
      app.github.faults.api.refuseConnections = true;
      await app.editTask(id, { title: "Ours" });
      await app.settle();
      // The read before the write was refused, so nothing was written.
      expect(app.reads()).toBe(1);
      expect(app.writes()).toBe(0);
      await app.advance(5_000);
      app.github.as("octocat").comment(app.repo, 1, "Me too");
      await app.settle();
      app.github.faults.api.refuseConnections = false;
      await app.settleWithin(10);

      expect(await app.task()).toMatchObject({ title: "Ours" });
      expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours", comments: 1 });
      expect(await app.comments()).toMatchObject([{ markdown: "Me too", task_id: id }]);
      const events = await app.events();
      const bump = events.find((event) => event.reason === "same_content");
      expect(bump).toMatchObject({ state: "duplicate", duplicate_of: events[0]?.id });
      const edit = events.find((event) => event.direction === "outbound");
      expect(edit).toMatchObject({ state: "completed", reason: "updated_resource", conflicts: [] });
      expect(app.writes()).toBe(1);
      expect(app.github.calls({ writes: true, applied: true })).toBe(1);
    });
  }

  for (const [spacing, seconds] of [
    ["in three seconds", 1],
    ["within one second", 0],
  ] as const) {
    for (const settling of ["each by itself", "all in one batch"] as const) {
      it(`S12 A, then B, then A again ${spacing}, ${settling}, in each of the six orders: A`, async () => {
        const app = await givenSampleTandem(await open());
        const mona = app.github.as("mona");
        const reads: Record<string, number> = {};
        const told: Record<string, readonly string[]> = {};
        for (const order of SIX_ORDERS) {
          app.github.faults.webhooks.hold = false;
          await app.advance(60_000);
          const { number } = mona.openIssue(app.repo, { title: `Zero ${order.join("")}` });
          await app.settle();
          app.github.clearRequests();
          app.holdWebhooks();
          const before = new Set(app.held());
          for (const title of ["A", "B", "A"]) {
            await app.advance(1_000 * seconds);
            mona.editIssue(app.repo, number, { title });
          }
          const edits = app.held().filter((delivery) => !before.has(delivery));
          for (const index of order) {
            const delivery = edits[index];
            if (delivery === undefined) throw new Error("three webhooks should be held");
            await app.release(delivery);
            if (settling === "each by itself") await app.settle();
          }
          await app.settle();

          const [task] = (await app.tasks()).slice(-1);
          expect(task, `order ${order.join("")}`).toMatchObject({ title: "A" });
          expect(app.github.issue(app.repo, number)).toMatchObject({ title: "A" });
          expect(await app.copiedTitle(number)).toBe("A");
          expect(app.writes()).toBe(0);
          reads[order.join("")] = app.reads();
          told[order.join("")] = (await storyWithCauses(app, number)).slice(1);
        }
        expect(await app.events()).toHaveLength(24);
        expect(told).toEqual(ENDS[spacing][settling]);
        expect(reads).toEqual(READS[spacing][settling]);
      });
    }
  }
});

/**
 * How often the issue is read again, by the order of its three webhooks. Within one second the
 * first and every B after an A are read; an A that comes when A is known is a duplicate.
 */
const READS = {
  "in three seconds": {
    // An older one that says what nobody knows is read.
    "each by itself": { "012": 0, "021": 1, "102": 1, "120": 0, "201": 1, "210": 1 },
    "all in one batch": { "012": 0, "021": 1, "102": 0, "120": 0, "201": 1, "210": 1 },
  },
  "within one second": {
    "each by itself": { "012": 2, "021": 2, "102": 1, "120": 1, "201": 2, "210": 2 },
    "all in one batch": { "012": 1, "021": 1, "102": 1, "120": 1, "201": 1, "210": 1 },
  },
};

const TAKEN = "completed updated_record";
const NOTHING_NEW = "duplicate nothing_new of 1";
const LATE_FOR = { 1: "ignored later_event for 1", 2: "ignored later_event for 2" };
const SAME_AS = { 1: "duplicate same_content of 1", 2: "duplicate same_content of 2" };
const BEATEN_BY = { 2: "canceled superseded by 2", 3: "canceled superseded by 3" };

/** How the events of the three webhooks end, in the order they come in; each names its cause by that. */
const ENDS = {
  "in three seconds": {
    "each by itself": {
      "012": [TAKEN, TAKEN, TAKEN],
      "021": [TAKEN, SAME_AS[1], LATE_FOR[2]],
      "102": [TAKEN, TAKEN, SAME_AS[2]],
      "120": [TAKEN, TAKEN, LATE_FOR[2]],
      "201": [TAKEN, LATE_FOR[1], LATE_FOR[1]],
      "210": [TAKEN, LATE_FOR[1], LATE_FOR[1]],
    },
    "all in one batch": {
      "012": [BEATEN_BY[2], BEATEN_BY[3], TAKEN],
      "021": [TAKEN, SAME_AS[1], LATE_FOR[2]],
      "102": [BEATEN_BY[3], LATE_FOR[1], TAKEN],
      "120": [BEATEN_BY[2], TAKEN, LATE_FOR[2]],
      "201": [TAKEN, LATE_FOR[1], LATE_FOR[1]],
      "210": [TAKEN, LATE_FOR[1], LATE_FOR[1]],
    },
  },
  // Each read answers A: B brings the content that was merged by then.
  "within one second": {
    "each by itself": {
      "012": [TAKEN, NOTHING_NEW, SAME_AS[2]],
      "021": [TAKEN, SAME_AS[1], NOTHING_NEW],
      "102": [TAKEN, SAME_AS[1], SAME_AS[1]],
      "120": [TAKEN, SAME_AS[1], SAME_AS[1]],
      "201": [TAKEN, SAME_AS[1], NOTHING_NEW],
      "210": [TAKEN, NOTHING_NEW, SAME_AS[2]],
    },
    "all in one batch": {
      "012": [BEATEN_BY[2], BEATEN_BY[3], TAKEN],
      "021": [BEATEN_BY[3], SAME_AS[1], TAKEN],
      "102": [BEATEN_BY[2], TAKEN, SAME_AS[2]],
      "120": [BEATEN_BY[2], TAKEN, SAME_AS[2]],
      "201": [BEATEN_BY[3], SAME_AS[1], TAKEN],
      "210": [BEATEN_BY[2], BEATEN_BY[3], TAKEN],
    },
  },
};

const SIX_ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** An issue that Tandem has seen, ten seconds ago. */
async function givenOpenIssue(
  database: Parameters<typeof givenSampleTandem>[0],
  title: string,
  conflict: "field" | "record" = "field",
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, withConflictPolicy(conflict));
  app.github.as("mona").openIssue(app.repo, { title });
  await app.settle();
  await app.advance(10_000);
  return app;
}

function timeIn({ body }: Delivery): unknown {
  return (JSON.parse(body) as { readonly issue: { readonly updated_at: string } }).issue.updated_at;
}

/** How an issue's events ended, as they were born; each that changed nothing names its cause by place. */
async function storyWithCauses(app: SampleTandem, number: number): Promise<readonly string[]> {
  const events = (await app.events()).filter(
    (event) => event.integration_external_id === String(number),
  );
  const place = (id: string) => String(events.findIndex((event) => event.id === id));
  return events.map((event) => {
    const { state, reason, duplicate_of: same, ignored_for_id: later, canceled_by: by } = event;
    const causes = [
      ...(same === null ? [] : [`of ${place(same)}`]),
      ...(later === null ? [] : [`for ${place(later)}`]),
      ...(by === null ? [] : [`by ${place(by)}`]),
    ];
    return [state, reason, ...causes].join(" ");
  });
}
