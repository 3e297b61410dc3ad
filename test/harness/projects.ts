/** The sample app with three projects: two are repositories, and one is nothing. */
import { expect } from "vitest";
import type { AnyConfig } from "../../src/config.ts";
import { TEST_SECRET } from "../../src/testing/test-tandem.ts";
import type { TestDatabase } from "./databases.ts";
import { givenSampleTandem, type SampleTandem } from "./sample-tandem.ts";

/** The repositories of projects 1 and 2; nothing is connected to project 3. */
export const SITE = "acme/site";
export const APP = "acme/app";
/** A repository that nothing is connected to. */
export const ELSEWHERE = "acme/elsewhere";

/** With a task in project 1. */
export interface Pair extends SampleTandem {
  readonly taskId: string;
}

/** Joins a repository that is there to a project, as `acme/site` is to project 1. */
export async function join(app: SampleTandem, container: string, scope: string): Promise<void> {
  await app.tandem.connect({
    account: {
      name: "acme",
      integration: "github",
      credentials: { token: "ghs_test", baseUrl: app.github.apiUrl },
      webhookSecret: TEST_SECRET,
    },
    container,
    scope,
  });
}

/** Makes another repository, joins it to a project, and takes in what is there. */
export async function connect(app: SampleTandem, container: string, scope: string): Promise<void> {
  const [owner = "", name = ""] = container.split("/");
  app.github.createRepository({ owner, name });
  await join(app, container, scope);
  await app.tandem.syncNow();
  await app.settle();
}

export async function givenProjects(
  database: TestDatabase,
  change?: (config: AnyConfig) => AnyConfig,
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, change);
  await app.sql("insert into projects (name) values ('App'), ('Nowhere')");
  await connect(app, APP, "2");
  return app;
}

/** A task in project 1, paired with Mona's issue 1 of `acme/site` a minute ago. */
export async function givenPaired(
  database: TestDatabase,
  change?: (config: AnyConfig) => AnyConfig,
): Promise<Pair> {
  const app = await givenProjects(database, change);
  app.github.as("mona").openIssue(SITE, { title: "Broken link", body: "On the first page." });
  await app.settle();
  await app.advance(60_000);
  await app.tandem.syncNow();
  await app.settle();
  app.github.clearRequests();
  const { id: taskId } = await app.task();
  return { ...app, taskId };
}

/** Two comments on the issue: Mona's, which came in, and one of ours. */
export async function givenComments(database: TestDatabase): Promise<Pair> {
  const app = await givenPaired(database);
  app.github.as("mona").comment(SITE, 1, "I see it too.");
  await app.settle();
  await app.addComment(app.taskId, "On it.");
  await app.settle();
  await app.advance(60_000);
  await app.tandem.syncNow();
  await app.settle();
  app.github.clearRequests();
  return app;
}

/** The same, and a repository that nothing is connected to. */
export async function givenElsewhere(database: TestDatabase): Promise<Pair> {
  const app = await givenComments(database);
  app.github.createRepository({ owner: "acme", name: "elsewhere" });
  return app;
}

/** The owner of both repositories transfers an issue. */
export function transfer(app: SampleTandem, from: string, number: number, to: string): void {
  app.github.as("acme").transferIssue(from, number, to);
}

/** The comments of a repository, without what is hidden in them. */
export function said(app: SampleTandem, repository: string): readonly string[] {
  return app.github.comments(repository).map(({ body }) => body.replace(/\s*<!--.*$/s, ""));
}

/** Events that have not ended. */
export async function unfinished(app: Pick<SampleTandem, "events">) {
  return (await app.events()).filter(({ finished_at }) => finished_at === null);
}

export async function moveTo(app: Pair, project: string): Promise<void> {
  await app.editTask(app.taskId, { project_id: project });
}

/** The events between the task and one repository. */
export async function storyAt(app: Pair, connection: string): Promise<readonly string[]> {
  const pairings = (await app.pairings(app.taskId)).filter((one) => one.connection === connection);
  return pairings
    .flatMap(({ events }) => [...events].reverse())
    .map(({ direction, state, reason }) => `${direction} ${state} ${reason}`);
}

/** Each issue of a repository as its state and title. */
export function issuesOf(app: SampleTandem, repository: string): readonly string[] {
  return app.github.issues(repository).map(({ state, title }) => `${state}: ${title}`);
}

/** Polls, sweeps of both kinds, and time: nothing is left to do, and nothing was made twice. */
export async function expectAtRest(app: Pair): Promise<void> {
  await app.advance(60_000);
  app.github.clearRequests();
  await app.tandem.syncNow();
  await app.settle();
  await app.tandem.sweepNow();
  await app.settle();
  const swept = await app.tandem.sweepRecordsNow();
  for (const { differing, gone, moved } of swept)
    expect([differing, gone, moved]).toEqual([0, 0, 0]);
  await app.settle();
  expect(app.writes()).toBe(0);
  expect(await app.tasks()).toHaveLength(1);
  const live = await unfinished(app);
  expect(live).toEqual([]);
}
