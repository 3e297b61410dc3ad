/** Requests of ours caught on their way, so that a test decides what happens before the answer. */
import type { Hold, RequestMatch } from "../../src/testing/github/index.ts";
import type { TestTandem } from "../../src/testing/test-tandem.ts";

export const POST_ISSUE: RequestMatch = { method: "POST", path: /\/issues$/ };
export const POST_COMMENT: RequestMatch = { method: "POST", path: /\/comments$/ };
export const PATCH_ISSUE: RequestMatch = { method: "PATCH", path: /\/issues\/\d+$/ };

export interface InFlight {
  readonly hold: Hold;
  /** Resolves when whoever sent it has nothing left to do. */
  readonly done: Promise<unknown>;
  /** It lands, and its webhooks arrive before its answer. */
  readonly land: () => Promise<void>;
  /** Its answer arrives, and all comes to rest. */
  readonly answer: () => Promise<void>;
}

/** Sets Tandem going and returns when it has sent a request that matches. */
export async function catchRequest(app: TestTandem, match: RequestMatch): Promise<InFlight> {
  const hold = app.github.holdNext(match);
  const done = app.tandem.settle();
  await Promise.race([hold.arrived, done.then(() => refuseQuiet(match))]);
  return {
    hold,
    done,
    async land() {
      hold.apply();
      await app.settle();
    },
    async answer() {
      hold.release();
      await done;
      await app.settle();
    },
  };
}

/**
 * Starts a worker that dies with a request on its way: it writes nothing more, and its lease runs
 * out a minute later. The request is still in the network: `hold.apply()` lets it land.
 */
export async function dieSending(app: TestTandem, match: RequestMatch): Promise<Hold> {
  // Nothing is to be polled in the worker's short life.
  await app.tandem.syncNow();
  app.github.clearRequests();
  const hold = app.github.holdNext(match);
  const worker = app.tandem.startWorker({ name: "doomed" });
  await hold.arrived;
  await worker.kill();
  await app.tandem.settle();
  return hold;
}

/** The same, and its lease has run out: whoever comes next has sent the request again. */
export async function outliveSender(app: TestTandem, match: RequestMatch): Promise<Hold> {
  const late = await dieSending(app, match);
  await app.advance(60_000);
  await app.settle();
  return late;
}

function refuseQuiet({ method = "any request" }: RequestMatch): never {
  throw new Error(`Tandem came to rest and never sent ${method}`);
}
