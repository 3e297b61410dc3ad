/** Steps of `spec/move.pml`: a task that is moved between two repositories, or to nowhere. */
import { passOnLeases } from "../../src/runtime/worker/claim-due.ts";
import { translateDeliveries } from "../../src/runtime/receive/intake.ts";
import type { Hold } from "../../src/testing/github/index.ts";
import { APP, type Pair, SITE } from "../harness/projects.ts";
import {
  always,
  begin,
  drain,
  ISSUE,
  LEASE_MS,
  type Steps,
  type UnderWay,
} from "./runtime-steps.ts";

/** A worker that has sent something, or is done. */
interface Sender extends UnderWay {
  readonly hold: Hold;
  readonly dies: AbortController;
}

/** A task in step with issue 1 of `acme/site`, which is A; B is `acme/app`. */
export function moveSteps(app: Pair): Steps {
  app.holdWebhooks();
  const senders = new Map<string, Sender>();

  /** Sets a worker going on one lane, until it has sent a write or has nothing left to do. */
  function start(place: string, which: string) {
    return async () => {
      const isThere = app.github.issues(place).length > 0;
      const match = isThere
        ? { method: "PATCH", path: /\/issues\/\d+$/ }
        : { method: "POST", path: /\/issues$/ };
      const hold = app.github.holdNext(match);
      const dies = new AbortController();
      const begun = await begin(app, `${ISSUE} and ${at(place)} and ${which}`, dies.signal);
      const isSent = await Promise.race([
        hold.arrived.then(() => true),
        begun?.ended.then(() => false) ?? false,
      ]);
      if (isSent && begun !== null) {
        // A rejection of the worker that dies is not awaited.
        begun.ended.catch(() => undefined);
        senders.set(place, { hold, dies, ...begun });
      } else {
        app.github.clearFaults();
        app.holdWebhooks();
      }
      return begun !== null;
    };
  }
  const at = (place: string) => `connection_id ${place === SITE ? "=" : "<>"} ${app.connection.id}`;
  const sender = (place: string, act: (sender: Sender) => unknown) => async () => {
    const found = senders.get(place);
    if (found === undefined) return false;
    await act(found);
    return true;
  };
  const deliver = (place: string) => async () => {
    const held = app.held().filter(({ body }) => body.includes(`/repos/${place}"`));
    await app.release(...held);
    await translateDeliveries(app.tandem.services, null);
    return held.length > 0;
  };
  const moveTo = (project: string) =>
    always(() => app.editTask(app.taskId, { project_id: project }));
  const stepsAt = (name: string, place: string): Steps => ({
    [`deliver from ${name}`]: deliver(place),
    [`start inbound at ${name}`]: start(place, "direction = 'inbound'"),
    [`start outbound at ${name}`]: start(place, "direction = 'outbound' and action = 'upsert'"),
    [`start the removal at ${name}`]: start(place, "direction = 'outbound' and action = 'delete'"),
    [`the request lands at ${name}`]: sender(place, ({ hold }) => hold.apply()),
    [`the answer from ${name}`]: sender(place, async ({ hold, ended }) => {
      hold.release();
      await ended;
    }),
    [`the worker at ${name} dies`]: sender(place, async ({ dies }) => {
      dies.abort();
      await app.advance(LEASE_MS + 1_000);
      await passOnLeases(app.tandem.services);
    }),
  });
  return {
    ...stepsAt("A", SITE),
    ...stepsAt("B", APP),
    "remote edit at A": always(async () => {
      app.github.as("mona").editIssue(SITE, 1, { title: "Theirs" });
    }),
    "local edit": always(() => app.editTask(app.taskId, { markdown: "Ours" })),
    "move to A": moveTo("1"),
    "move to B": moveTo("2"),
    "move to nowhere": moveTo("3"),
    drain: drain(app),
    "the POST lands at last": sender(APP, ({ hold }) => hold.apply()),
  };
}
