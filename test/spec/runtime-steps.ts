/**
 * Steps of the models of parents and transfers, taken by the real runtime on a database: their rules
 * are the runtime's, so no world without one can have them.
 */
import { DirectorySnapshot } from "../../src/runtime/services/directory-snapshot.ts";
import { claimDue } from "../../src/runtime/worker/claim-due.ts";
import { drainChanges } from "../../src/runtime/outbound/drain.ts";
import { processClaimed } from "../../src/runtime/worker/process-claimed.ts";
import { translateDeliveries } from "../../src/runtime/receive/intake.ts";
import type { Hold } from "../../src/testing/github/index.ts";
import type { SampleTandem } from "../harness/sample-tandem.ts";

/** Takes a step; `false` where there is no occasion for it. */
export type Step = () => Promise<boolean>;

export const LEASE_MS = 60_000;
const NEVER = new AbortController().signal;

/** Steps of one story, by the names that its model gives them. */
export type Steps = Readonly<Record<string, Step>>;

/** Takes the steps of a trace; returns those that there was no occasion for. */
export async function takeSteps(steps: Steps, trace: readonly string[]): Promise<string[]> {
  const leftOut: string[] = [];
  for (const name of trace) {
    const step = steps[name];
    if (step === undefined) throw new Error(`no such step: ${name}`);
    if (!(await step())) leftOut.push(name);
  }
  return leftOut;
}

/** Work that may wait for a held request. */
export interface UnderWay {
  readonly ended: Promise<unknown>;
}

/**
 * Works on what is due of one kind and on nothing else.
 *
 * @param which A condition on the queue's rows.
 * @returns `null`: nothing of it was due.
 */
export async function begin(
  app: SampleTandem,
  which: string,
  signal = NEVER,
): Promise<UnderWay | null> {
  const { services } = app.tandem;
  const others = `state = 'queued' and not (${which})`;
  await app.sql(
    `update tandem.events_live set run_at = run_at + interval '100 years' where ${others}`,
  );
  const book = await DirectorySnapshot.open(services);
  const claims = await claimDue(services, book, "trace", LEASE_MS, 16);
  await app.sql(
    `update tandem.events_live set run_at = run_at - interval '100 years'
     where run_at > tandem.now() + interval '50 years'`,
  );
  if (claims.length === 0) return null;
  const ended = Promise.all(claims.map((one) => processClaimed(services, one, book, signal)));
  return { ended };
}

function work(app: SampleTandem, which: string): Step {
  return async () => {
    const begun = await begin(app, which);
    await begun?.ended;
    return begun !== null;
  };
}

/** Delivers a held webhook, by its event and action, and takes it in. */
function deliver(app: SampleTandem, event: string, action: string): Step {
  return async () => {
    const delivery = app.held().find((held) => held.event === event && held.action === action);
    if (delivery === undefined) return false;
    await app.release(delivery);
    await translateDeliveries(app.tandem.services, null);
    return true;
  };
}

export function always(act: () => Promise<unknown>): Step {
  return async () => {
    await act();
    return true;
  };
}

const nothing: Step = () => Promise.resolve(true);

const poll = (app: SampleTandem): Step => always(() => app.tandem.syncNow());
const sweep = (app: SampleTandem): Step => always(() => app.tandem.sweepNow());
export const drain = (app: SampleTandem): Step => always(() => drainChanges(app.tandem.services));

export const ISSUE = "resource_type = 'issue'";
const COMMENT = "resource_type = 'issue_comment'";
/** Longer than a child waits for its parent, and reads lag. */
const HOUR = 3_600_000;

/** An issue with a comment is there, and nobody has heard of it. `spec/parent.pml`, INBOUND. */
export function inboundFamily(app: SampleTandem, polls: boolean): Steps {
  app.holdWebhooks();
  app.github.as("mona").openIssue(app.repo, { title: "Parent" });
  app.github.as("mona").comment(app.repo, 1, "Child");
  return {
    "deliver the parent": deliver(app, "issues", "opened"),
    "deliver the child": deliver(app, "issue_comment", "created"),
    "start the parent": work(app, ISSUE),
    "start the child": work(app, COMMENT),
    "local delete that closes the parent": always(async () => {
      await app.sql("delete from tasks");
      await drainChanges(app.tandem.services);
    }),
    "faults stop": nothing,
    "webhooks lost": nothing,
    POLL: polls ? poll(app) : nothing,
    "the deadline passes": always(() => app.advance(HOUR)),
    SWEEP: sweep(app),
  };
}

/** A task with a comment is there, and its issue is to come. `spec/parent.pml`, OUTBOUND. */
export async function outboundFamily(app: SampleTandem): Promise<Steps> {
  const task = await app.addTask({ title: "Parent" });
  await app.addComment(task, "Child");
  await drainChanges(app.tandem.services);
  let post: (UnderWay & { readonly hold: Hold }) | null = null;
  return {
    "start the parent": async () => {
      const hold = app.github.holdNext({ method: "POST", path: /\/issues$/ });
      const begun = await begin(app, ISSUE);
      if (begun === null) return false;
      await hold.arrived;
      post = { hold, ...begun };
      return true;
    },
    "the parent's POST lands": always(() => Promise.resolve(post?.hold.apply())),
    "the parent's answer": always(async () => {
      post?.hold.release();
      await post?.ended;
    }),
    "start the child": work(app, COMMENT),
    // Let go of softly, so that the comment's row stays: nothing else would tell that it has ended.
    "local delete of the parent": always(() => app.editTask(task, { deleted_at: "2026-03-02" })),
    drain: drain(app),
    "faults stop": nothing,
    POLL: poll(app),
  };
}

/** The repository where a transferred issue goes. */
export const THERE = "acme/app";

/** An issue in step, and a second repository that is connected. `spec/transfer.pml`. */
export function transferSteps(app: SampleTandem): Steps {
  const here = `connection_id = ${app.connection.id}`;
  app.holdWebhooks();
  return {
    "remote edit a=1": always(async () => {
      app.github.as("mona").editIssue(app.repo, 1, { title: "1" });
    }),
    transfer: always(async () => {
      app.github.as("mona").transferIssue(app.repo, 1, THERE);
    }),
    "deliver from the old place": deliver(app, "issues", "edited"),
    "deliver the transfer": deliver(app, "issues", "transferred"),
    "start the stranger": work(app, `${ISSUE} and not ${here} and record_id is null`),
    "start the stranger at the old place": work(app, `${ISSUE} and ${here} and record_id is null`),
    "start inbound upsert": work(app, `${ISSUE} and record_id is not null`),
    // Read and committed in the step before.
    "commit re-read": nothing,
    "faults stop": nothing,
    "webhooks lost": nothing,
    POLL: poll(app),
    SWEEP: sweep(app),
  };
}
