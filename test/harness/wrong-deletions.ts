/** Issues that are taken for deleted and are alive: for a sweep, or by a webhook that is wrong. */
import { expect } from "vitest";
import type { AnyConfig } from "../../src/config.ts";
import type { TestDatabase } from "./databases.ts";
import { givenSampleTandem, type SampleTandem } from "./sample-tandem.ts";
import { postWebhook } from "./webhooks.ts";

export type Policy = "archive" | "delete" | "detach";

/** The sample's tasks, with what becomes of them when their issue is deleted. */
export function onDeletion(onResourceDeleted: Policy) {
  return (config: AnyConfig): AnyConfig => {
    const { tasks } = config.records;
    const issue = tasks?.sync?.["github.issue"];
    if (tasks === undefined || issue === undefined) throw new Error("no tasks are mapped");
    const sync = { ...tasks.sync, "github.issue": { ...issue, onResourceDeleted } };
    return { ...config, records: { ...config.records, tasks: { ...tasks, sync } } };
  };
}

/** An issue of Mona's and its task, in step for a minute. */
export async function givenPair(
  database: TestDatabase,
  policy: Policy = "archive",
): Promise<SampleTandem> {
  const app = await givenSampleTandem(database, onDeletion(policy));
  app.github.as("mona").openIssue(app.repo, { title: "Here", body: "Text" });
  await restInStep(app);
  return app;
}

/** Lets both sides agree, and a minute pass; no request before that is counted. */
export async function restInStep(app: SampleTandem): Promise<void> {
  await app.settle();
  await app.tandem.syncNow();
  await app.settle();
  await app.advance(60_000);
  app.github.clearRequests();
}

/** Sweeps, and carries out what follows. */
export async function sweep(app: SampleTandem): Promise<void> {
  await app.tandem.sweepNow();
  await app.settle();
}

/** For one sweep the issues are not listed, and a read by id says that they are gone. */
export async function hideForASweep(
  app: SampleTandem,
  ...numbers: readonly number[]
): Promise<void> {
  app.github.faults.api.lists = "empty";
  for (const number of numbers) {
    const path = new RegExp(`/issues/${String(number)}$`);
    app.github.failNext({ method: "GET", path, with: 404 });
  }
  await app.tandem.sweepNow();
  await app.settle();
  app.github.clearFaults();
  await app.advance(60_000);
  app.github.clearRequests();
}

/** A webhook says that the issue was deleted, and it was not. */
export async function tellOfADeletion(app: SampleTandem): Promise<void> {
  app.holdWebhooks();
  app.github.as("mona").editIssue(app.repo, 1, { title: "Here", body: "Text " });
  const [edited] = app.held();
  app.github.clearFaults();
  const body = edited?.body.replace('"action":"edited"', '"action":"deleted"') ?? "";
  expect((await postWebhook(app, { event: "issues", body })).status).toBe(202);
  await app.settle();
  await app.advance(60_000);
  app.github.clearRequests();
}
