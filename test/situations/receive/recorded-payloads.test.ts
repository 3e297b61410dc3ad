/**
 * Payloads as GitHub sent them to somebody, from the receiver to records: what is unlike the
 * simulator shows here.
 */
import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { z } from "zod";
import type { ApiEvent } from "../../../src/server/protocol/api-types.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { postWebhook } from "../../harness/webhooks.ts";

const load = createRequire(import.meta.url);

const EDITIONS = ["api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"];
const EVENTS = [
  "issues",
  "issue_comment",
  "pull_request",
  "installation",
  "installation_repositories",
];

/** The repositories of the recordings that are connected; 17273051, of one transfer, is not. */
const ON_GITHUB = 186_853_002;
const ON_SERVER = 118;

const exampleShape = z.array(
  z.looseObject({
    name: z.string(),
    examples: z.array(z.looseObject({})),
  }),
);

interface Recorded {
  readonly event: string;
  readonly body: string;
  /** The time of the resource's last change; empty if the payload does not say. */
  readonly at: string;
  readonly isDeletion: boolean;
}

const told = z.looseObject({
  action: z.string().optional(),
  issue: z.looseObject({ updated_at: z.string() }).optional(),
  comment: z.looseObject({ updated_at: z.string() }).optional(),
});

/** All payloads of the events that mean something, in the order of `EVENTS`. */
const recorded: readonly Recorded[] = EVENTS.flatMap((event) =>
  EDITIONS.flatMap((edition) => {
    const file: unknown = load(`@octokit/webhooks-examples/${edition}/index.json`);
    return exampleShape
      .parse(file)
      .filter(({ name }) => name === event)
      .flatMap(({ examples }) =>
        examples.map((payload): Recorded => {
          const { action, issue, comment } = told.parse(payload);
          const at = comment?.updated_at ?? issue?.updated_at ?? "";
          return { event, body: JSON.stringify(payload), at, isDeletion: action === "deleted" };
        }),
      );
  }),
);

describeOnOneDatabase("recorded payloads", (open) => {
  it("each is answered 202 and ends translated, or irrelevant with a reason", async () => {
    const app = await givenConnectedRecordings(await open());
    for (const { event, body } of recorded) {
      expect(await postWebhook(app, { event, body })).toMatchObject({ status: 202 });
      await app.advance(1_000);
    }
    await app.settle();

    const stored = await app.storedDeliveries();
    expect(stored).toHaveLength(recorded.length);
    expect(tableOf(stored)).toEqual(ENDS);
    const { deliveries, live, connections } = await app.status();
    expect(deliveries).toMatchObject({ received: 0, failed: 0 });
    expect(deliveries.translated + deliveries.irrelevant).toBe(recorded.length);
    expect(live).toEqual({ queued: 0, processing: 0, errored: 0, disabled: 0 });
    // One recording takes octocat/Hello-World out of an installation, whose id acme/site has here.
    expect(connections.map(({ scope, paused_reason }) => [scope, paused_reason])).toEqual([
      ["1", "removed_from_installation"],
      ["2", null],
      ["3", null],
    ]);
    expect(app.writes() + app.reads()).toBe(0);
  });

  it("in the order of their times: one task each, edits taken, deletions followed, none made twice", async () => {
    const app = await givenConnectedRecordings(await open());
    const changes = recorded.filter(({ event }) => event === "issues" || event === "issue_comment");
    const inOrder = [...changes].sort(
      (a, b) => Number(a.isDeletion) - Number(b.isDeletion) || compare(a.at, b.at),
    );
    for (const { event, body } of inOrder) {
      await postWebhook(app, { event, body });
      await app.settle();
      await app.advance(1_000);
    }

    const issue = {
      owner_id: "2",
      title: "Spelling error in the README file",
      markdown: "It looks like you accidently spelled 'commit' with two 't's.",
    };
    expect(await app.tasks()).toMatchObject([
      { ...issue, project_id: "2", deleted_at: expect.any(String) as string },
      { ...issue, project_id: "3", deleted_at: null },
    ]);
    expect(await app.comments()).toEqual([]);
    expect(await app.users()).toMatchObject([
      { github_login: "mona" },
      { github_login: "Codertocat", placeholder: true },
    ]);
    const events = await app.events();
    expect(endings(events, "issue_comment")).toEqual({
      "completed created_record": 2,
      "completed updated_record": 2,
      "completed deleted_record": 2,
      "ignored tombstoned": 2,
      "duplicate same_content": 12,
    });
    const ofIssues = endings(events, "issue");
    expect(ofIssues["completed created_record"]).toBe(2);
    expect(ofIssues["completed archived_record"]).toBe(1);
    // Equal times with different contents cause a read. That repository cannot be read here, so the
    // event gives way to the next one.
    const unread = events.filter((event) => event.error !== null);
    expect(new Set(unread.map(({ error, state }) => `${state} ${error?.code ?? ""}`))).toEqual(
      new Set(["canceled not_found"]),
    );
    // Each 404 asks for the repository too, by number and by name: a server may not know numbers.
    const repository = `/repositories/${String(ON_GITHUB)}`;
    const asked = ["/issues/1", "/issues", ""].map((path) => `${repository}${path}`);
    for (const path of [...asked, "/repos/Codertocat/Hello-World"]) {
      expect([path, app.github.calls({ path: exactly(path) })]).toEqual([path, unread.length]);
    }
    expect(app.reads()).toBe(4 * unread.length);
    expect(app.writes()).toBe(0);
    const { live } = await app.status();
    expect(live).toEqual({ queued: 0, processing: 0, errored: 0, disabled: 0 });
    for (const event of events) {
      const cause = event.duplicate_of ?? event.ignored_for_id ?? event.canceled_by;
      expect(event.state === "completed" || cause !== null, event.reason).toBe(true);
    }
  });
});

function exactly(path: string): RegExp {
  return new RegExp(`^${path}$`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How often events of a type ended each way. */
function endings(events: readonly ApiEvent[], type: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { resource_type, state, reason } of events) {
    if (resource_type !== type) continue;
    const end = `${state} ${reason}`;
    counts[end] = (counts[end] ?? 0) + 1;
  }
  return counts;
}

/** How the deliveries of each event and action end. */
const ENDS = {
  "installation.created": "irrelevant: nothing_to_follow",
  "installation.deleted": "irrelevant: nothing_to_follow | translated",
  "installation.new_permissions_accepted": "irrelevant: nothing_moved",
  "installation.suspend": "irrelevant: nothing_to_follow",
  "installation.unsuspend": "irrelevant: nothing_to_follow",
  "installation_repositories.added": "irrelevant: unknown_container",
  "installation_repositories.removed": "irrelevant: unknown_container | translated",
  "issue_comment.created": "translated",
  "issue_comment.deleted": "translated",
  "issue_comment.edited": "translated",
  "issues.assigned": "translated",
  "issues.deleted": "translated",
  "issues.demilestoned": "irrelevant: pull_request",
  "issues.edited": "translated",
  "issues.labeled": "translated",
  "issues.locked": "translated",
  "issues.milestoned": "irrelevant: pull_request",
  "issues.opened": "translated",
  "issues.pinned": "translated",
  "issues.reopened": "translated",
  "issues.transferred": "translated",
  "issues.unassigned": "translated",
  "issues.unlabeled": "translated",
  "issues.unlocked": "translated",
  "issues.unpinned": "translated",
  "pull_request.assigned": "irrelevant: pull_request",
  "pull_request.closed": "irrelevant: pull_request",
  "pull_request.converted_to_draft": "irrelevant: pull_request",
  "pull_request.labeled": "irrelevant: pull_request",
  "pull_request.locked": "irrelevant: pull_request",
  "pull_request.opened": "irrelevant: pull_request",
  "pull_request.ready_for_review": "irrelevant: pull_request",
  "pull_request.reopened": "irrelevant: pull_request",
  "pull_request.review_request_removed": "irrelevant: pull_request",
  "pull_request.review_requested": "irrelevant: pull_request",
  "pull_request.synchronize": "irrelevant: pull_request",
  "pull_request.unassigned": "irrelevant: pull_request",
  "pull_request.unlabeled": "irrelevant: pull_request",
  "pull_request.unlocked": "irrelevant: pull_request",
};

function tableOf(stored: Awaited<ReturnType<SampleTandem["storedDeliveries"]>>) {
  const ends = new Map<string, Set<string>>();
  for (const { event, action, state, reason } of stored) {
    const key = `${event}.${action ?? "-"}`;
    const end = reason === null ? state : `${state}: ${reason}`;
    ends.set(key, (ends.get(key) ?? new Set()).add(end));
  }
  return Object.fromEntries([...ends].map(([key, all]) => [key, [...all].sort().join(" | ")]));
}

/** The repositories of the recordings, each joined to a project of its own. */
async function givenConnectedRecordings(database: TestDatabase): Promise<SampleTandem> {
  const app = await givenSampleTandem(database);
  const { directory } = app.tandem.services.store;
  const [account] = await directory.accounts();
  if (account === undefined) throw new Error("there is no account");
  await app.sql("insert into projects (name) values ('On GitHub'), ('On a server')");
  for (const [index, id] of [ON_GITHUB, ON_SERVER].entries()) {
    await directory.saveConnection({
      accountId: account.id,
      integration: "github",
      containerId: String(id),
      containerName: "Codertocat/Hello-World",
      scope: String(index + 2),
    });
  }
  return app;
}
