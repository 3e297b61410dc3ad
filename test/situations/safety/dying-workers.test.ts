/**
 * Situation 48 in virtual time: a worker dies at every failpoint, in both directions, creating, updating
 * and deleting; its lease passes on, and another ends the event. One that only stood still sends nothing
 * when it goes on, and finds its late writes refused. `npm run crash` does the same to real processes.
 *
 * A death is thrown here. It waits for nobody, so a store with one session reaches every point too; such a
 * store cannot stand still within a transaction, which `npm run crash` does.
 */
import { expect, it } from "vitest";
import { type Failpoint, FAILPOINTS } from "../../../src/runtime/services/failpoints.ts";
import type { Hold } from "../../../src/testing/github/index.ts";
import { keepingToken, withoutToken } from "../../../src/testing/simulation/history/history.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import {
  type Death,
  dieAt,
  freezeAt,
  type Frozen,
  LEASE_MS,
  type Watch,
  watchPoints,
} from "../../harness/mortal-worker.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import {
  type Action,
  ACTIONS,
  type Direction,
  DIRECTIONS,
  isAdoption,
  unreachable,
} from "../../processes/crash/matrix.ts";

interface Story {
  readonly app: SampleTandem;
  readonly watch: Watch;
  readonly point: Failpoint;
  readonly direction: Direction;
  readonly action: Action;
  readonly title: string;
}

/** The result of one death, once another worker has finished its work. */
interface Left {
  readonly record: unknown;
  readonly resource: unknown;
  /** The end of the event that the worker was at. */
  readonly ended: string;
  readonly writes: number;
}

describeOnOneDatabase("a worker that dies in its work", (open) => {
  for (const direction of DIRECTIONS) {
    for (const action of ACTIONS) {
      it(`S48 at every failpoint of an ${direction} ${action}: another goes on, once`, async () => {
        const watch = watchPoints();
        const app = await givenSampleTandem(await open(), undefined, { failpoints: watch });
        const stories = pointsOf(direction, action).map((point): Story => ({
          app,
          watch,
          point,
          direction,
          action,
          title: point,
        }));
        if (action !== "create") await givenPairs(app, stories);

        const left: [Failpoint, Left][] = [];
        for (const story of stories) {
          const { event } = await meetFate(story, dieAt);
          left.push([story.point, await goOn(story, event)]);
        }

        expect(Object.fromEntries(left)).toEqual(
          Object.fromEntries(stories.map((story) => [story.point, expectedOf(story)])),
        );
        expect((await app.status()).live).toEqual(NOTHING_LIVE);
      });
    }
  }

  for (const [point, direction] of STALLS) {
    for (const action of ACTIONS) {
      it(`S48 stood still ${point} of an ${direction} ${action}: another goes on, it sends nothing and writes nothing`, async () => {
        const watch = watchPoints();
        const app = await givenSampleTandem(await open(), undefined, { failpoints: watch });
        const story: Story = { app, watch, point, direction, action, title: point };
        if (action !== "create") await givenPairs(app, [story]);

        const zombie = await meetFate(story, freezeAt);
        const heir = await inherit(story);
        const ledger = await app.events();
        const calls = app.github.calls();
        await zombie.thaw();
        expect(await app.events()).toEqual(ledger);
        expect(app.github.calls()).toBe(calls);
        await heir.thaw();
        await app.settle();

        expect(await whatIsLeft(story, zombie.event)).toEqual(expectedOf(story));
        expect((await app.status()).live).toEqual(NOTHING_LIVE);
      });
    }
  }
});

describeOnOneDatabase("a worker whose lease the database ends before its time", (open) => {
  it("S48 makes nothing that another has made, though by its own clock the lease lasts", async () => {
    const watch = watchPoints();
    const app = await givenSampleTandem(await open(), undefined, { failpoints: watch });
    await app.addTask({ title: "Made once" });
    const late = await freezeAt(app, watch, { point: "after:intent", direction: "outbound" });
    // A database whose clock is ahead takes over from the one before it.
    await app.sql("update tandem.events_live set lease_expires_at = tandem.now()");
    await app.settle();
    expect(app.writes()).toBe(1);
    const calls = app.github.calls();
    await late.thaw();
    expect(app.github.calls()).toBe(calls);
    expect(app.github.issues(app.repo)).toHaveLength(1);
  });
});

/** Points at which a stalled worker still has something to send or write, and holds nothing. */
const STALLS = [
  ["after:claim", "inbound"],
  ["after:claim", "outbound"],
  ["after:intent", "outbound"],
  ["after:send", "outbound"],
] as const satisfies readonly (readonly [Failpoint, Direction])[];

const NOTHING_LIVE = { queued: 0, processing: 0, errored: 0, disabled: 0 };

function pointsOf(direction: Direction, action: Action): readonly Failpoint[] {
  const points = Object.keys(FAILPOINTS) as Failpoint[];
  return points.filter((point) => unreachable({ of: "issue", point, direction, action }) === null);
}

async function givenPairs(app: SampleTandem, stories: readonly Story[]): Promise<void> {
  // A resource that is found by its token was never paired.
  for (const { title } of stories.filter(({ point }) => !isAdoption(point))) {
    app.github.as("mona").openIssue(app.repo, { title, body: "As it was" });
  }
  await app.settle();
  await app.advance(10_000);
}

/** Makes the edit, and lets a worker come as far as the point. */
async function meetFate<Met>(
  story: Story,
  meet: (app: SampleTandem, watch: Watch, at: Death) => Promise<Met>,
): Promise<Met> {
  const { app, watch, point, direction } = story;
  app.github.clearRequests();
  const during = await pave(story);
  // Webhooks leave.
  await app.advance(1_000);
  return meet(app, watch, { point, direction, during });
}

/** The lease runs out, and what was held back arrives. */
async function passOn({ app }: Story): Promise<void> {
  app.github.faults.webhooks.hold = false;
  await app.github.releaseDeliveries();
  await app.advance(LEASE_MS + 1);
}

async function goOn(story: Story, event: string | null): Promise<Left> {
  await passOn(story);
  await story.app.settle();
  return whatIsLeft(story, event);
}

/** Another goes on: it holds the claim by now, or has ended all that the first had begun to send. */
async function inherit(story: Story): Promise<Pick<Frozen, "thaw">> {
  const { app, watch, point, direction } = story;
  await passOn(story);
  if (point === "after:claim") return freezeAt(app, watch, { point, direction });
  await app.settle();
  return { thaw: () => Promise.resolve() };
}

/** Makes the edit, and what keeps the worker on the way to its point until it is there. */
async function pave(story: Story): Promise<Hold | null> {
  const { app, point, direction, action } = story;
  const isOrphan =
    isAdoption(point) ||
    (point.endsWith(":record") && direction === "outbound" && action === "create");
  if (isOrphan) {
    await orphan(story);
    return null;
  }
  if (direction === "outbound") await editInApp(story);
  else editOnGitHub(story);
  const isBeat = point.endsWith(":heartbeat");
  if (direction === "outbound") {
    return isBeat ? app.github.holdNext({ method: action === "create" ? "POST" : "PATCH" }) : null;
  }
  // A trusted event is claimed and ended in one transaction: this one is read again.
  if (isBeat || (action === "update" && point.endsWith(":claim"))) editBody(story, "Said at once");
  return isBeat ? app.github.holdNext({ method: "GET", path: /\/issues\/\d+$/ }) : null;
}

/**
 * A create whose worker died when GitHub had made the issue: it exists until a worker finds it. A
 * story of a deletion deletes it then, and the worker finds it by that.
 */
async function orphan(story: Story): Promise<void> {
  const { app, watch, point, direction, action } = story;
  app.holdWebhooks();
  await editInApp({ ...story, action: "create" });
  await dieAt(app, watch, { point: "after:send", direction: "outbound" });
  // The answer to a create holds the sent content; a resource that is found later may hold more.
  if (point.endsWith(":record")) editBody(story, "Edited by Mona");
  if (action === "delete" && direction === "outbound") await editInApp(story);
  await app.advance(LEASE_MS + 1);
  if (direction === "outbound") return;
  // It is heard of before anybody lists: by its echo, or first of all by its deletion.
  app.github.faults.webhooks.hold = false;
  if (action === "delete") editOnGitHub(story);
  else await app.github.releaseDeliveries();
}

async function editInApp(story: Story): Promise<void> {
  const { app, action, title } = story;
  if (action === "create") {
    await app.addTask({ title, markdown: "As it was" });
    return;
  }
  const { id = "" } = (await recordOf(story)) ?? {};
  if (action === "delete") {
    await app.sql("delete from tasks where id = $1", [id]);
    return;
  }
  // Told by no webhook: the answer to our own write brings it.
  app.github.faults.webhooks.drop = 1;
  editBody(story, "Edited by Mona");
  await app.github.answered();
  app.github.faults.webhooks.drop = 0;
  await app.editTask(id, { title: `${title} edited` });
}

function editOnGitHub(story: Story): void {
  const { app, action, title } = story;
  const mona = app.github.as("mona");
  if (action === "create") mona.openIssue(app.repo, { title, body: "As it was" });
  else if (action === "delete") mona.deleteIssue(app.repo, numberOf(story));
  else mona.editIssue(app.repo, numberOf(story), { title: `${title} edited` });
}

/** A token at its end stays where it is. */
function editBody(story: Story, body: string): void {
  const { app } = story;
  const number = numberOf(story);
  const edited = keepingToken(app.github.issue(app.repo, number)?.body ?? null, body);
  app.github.as("mona").editIssue(app.repo, number, { body: edited });
}

function issuesOf({ app, title }: Story) {
  return app.github.issues(app.repo).filter((issue) => issue.title.startsWith(title));
}

function numberOf(story: Story): number {
  return issuesOf(story)[0]?.number ?? 0;
}

async function recordOf({ app, title }: Story) {
  return (await app.tasks()).find((task) => task.title.startsWith(title));
}

/** How the event ended that the worker was at. */
async function endOf({ app, point, direction, action }: Story, id: string | null): Promise<string> {
  const events = await app.events();
  // A worker that adopts by an echo is at no event, but finishes the create that was sent. An event that
  // was made in the transaction that the death rolled back is made again.
  const last = isAdoption(point) && action === "create" ? "outbound" : direction;
  const kind = action === "delete" ? "delete" : "upsert";
  const event =
    events.find((one) => one.id === id) ??
    events.findLast((one) => one.direction === last && one.action === kind);
  return `${event?.state ?? "no"} ${event?.reason ?? "event"}`;
}

/** Both sides as they are, how the event ended, and how many requests wrote. */
async function whatIsLeft(story: Story, event: string | null): Promise<Left> {
  const { app, title } = story;
  const tasks = (await app.tasks()).filter((task) => task.title.startsWith(title));
  const record = tasks.map((task) => ({
    title: task.title,
    markdown: task.markdown,
    status: task.status,
    isArchived: task.deleted_at !== null,
  }));
  const resource = issuesOf(story).map((issue) => ({
    title: issue.title,
    body: withoutToken(issue.body),
    state: issue.state,
  }));
  return { record, resource, ended: await endOf(story, event), writes: app.writes() };
}

/** Whether GitHub had carried the request out when the worker was at the point. */
function hasLanded(point: Failpoint): boolean {
  return !/:(claim|intent)$|^before:send$/.test(point);
}

/** Whether the event's end was durable when the worker was at the point. */
function hasEnded(point: Failpoint): boolean {
  return point === "after:commit" || point === "after:answer";
}

function expectedOf({ point, direction, action, title }: Story): Left {
  const step = point.replace(/^.*:/, "");
  const isFound = direction === "outbound" && (action === "update" || step === "record");
  const isSaidAtOnce =
    direction === "inbound" && (step === "heartbeat" || (action === "update" && step === "claim"));
  const text = isFound ? "Edited by Mona" : isSaidAtOnce ? "Said at once" : "As it was";
  const named = action === "update" ? `${title} edited` : title;
  const isInbound = direction === "inbound";
  const task = {
    title: named,
    markdown: text,
    status: "todo",
    isArchived: action === "delete",
  };
  const issue = { title: named, body: text, state: action === "delete" ? "closed" : "open" };
  return {
    record: action === "delete" && !isInbound ? [] : [task],
    resource: action === "delete" && isInbound ? [] : [issue],
    ...endExpectedOf(point, direction, action),
  };
}

function endExpectedOf(
  point: Failpoint,
  direction: Direction,
  action: Action,
): Pick<Left, "ended" | "writes"> {
  const created = isAdoption(point) ? 1 : 0;
  if (created === 1 && action === "create") {
    return { ended: "completed nothing_to_send", writes: created };
  }
  if (direction === "inbound") {
    const reason = {
      create: "created_record",
      update: "updated_record",
      delete: "archived_record",
    };
    return { ended: `completed ${reason[action]}`, writes: created };
  }
  // The echo, which comes first, reports a write that has landed and was not recorded.
  // The record is written with what an edit has read before it left, so nothing has landed there.
  const isOfRead = action === "update" && (point === "before:record" || point === "after:record");
  const isHeard = hasLanded(point) && !hasEnded(point) && !isOfRead;
  const sent = {
    create: "created_resource",
    update: "updated_resource",
    delete: "closed_resource",
  };
  // Closing what is closed changes nothing, so nobody looks first: it is sent once more.
  if (action === "delete") return { ended: `completed ${sent.delete}`, writes: isHeard ? 2 : 1 };
  return { ended: `completed ${isHeard ? "nothing_to_send" : sent[action]}`, writes: 1 };
}
