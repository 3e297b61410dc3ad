/** What goes wrong in a simulated history besides people and workers: GitHub, the network, switches. */
import type { Random } from "../../model/clock.ts";
import type { GitHubSimulator } from "../github/index.ts";
import type { TestTandem } from "../test-tandem.ts";
import { choose } from "./edits.ts";
import type { History } from "./history.ts";

/** Refusals, once each. 410 is not among them: it means deleted, and GitHub does not lie about it. */
const REFUSALS = [401, 403, 404, 422];

/** The rates of what can happen to any request and any webhook. */
export function setFaults({ faults }: GitHubSimulator): void {
  Object.assign(faults.webhooks, {
    drop: 0.05,
    duplicate: 0.1,
    reorder: 0.2,
    delayMs: { min: 10, max: 1_500 },
  });
  Object.assign(faults.api, {
    errorRate: 0.03,
    lostAnswer: { rate: 0.05, applied: "either", as: "reset" },
    staleReads: { rate: 0.03, lagMs: { min: 500, max: 5_000 } },
  });
}

/** One thing more goes wrong, or is mended. */
export async function makeTrouble(
  { github, tandem, connection }: TestTandem,
  random: Random,
  history: History,
): Promise<void> {
  const { api } = github.faults;
  const chance = random();
  // Down is mended sooner than it comes about, or most of a history would be a standstill.
  if (chance < (api.down ? 0.7 : 0.2)) {
    api.down = !api.down;
    history.tell(`github is ${api.down ? "down" : "up"}`);
  } else if (chance < 0.5) {
    const limit = random() < 0.1 ? "rate-limit" : "secondary-limit";
    github.failNext({ with: limit, retryAfterSeconds: 20 });
    history.tell(`the next request meets a ${limit}`);
  } else if (chance < 0.8) {
    const status = choose(REFUSALS, random) ?? 401;
    github.failNext({ with: status, ...(status === 404 ? { method: "PATCH" } : {}) });
    history.tell(`the next request is refused with ${String(status)}`);
  } else if (chance < 0.9) {
    await tandem.pause(connection.id, "a person has paused it");
    history.tell("the connection is paused");
  } else {
    await tandem.enable(connection.id);
    history.tell("the connection is enabled");
  }
}

/** Everything works again. */
export async function stopTrouble(
  { github, tandem, connection }: TestTandem,
  history: History,
): Promise<void> {
  github.clearFaults();
  await tandem.enable(connection.id);
  history.tell("the faults stop");
}
