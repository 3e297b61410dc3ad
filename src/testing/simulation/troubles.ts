/** Faults of a simulated history apart from people and workers: GitHub, the network, paused connections. */
import type { Random } from "../../model/clock.ts";
import type { GitHubSimulator } from "../github/index.ts";
import type { TestTandem } from "../test-tandem.ts";
import { choose } from "./people/index.ts";
import type { History } from "./history/index.ts";
import type { ConnectedSite, WorldKind } from "./world/index.ts";
import type { Fault } from "./plan.ts";

/** Refusals that occur once each. Not 410, which means deleted, and so is drawn for deleted comments only. */
const REFUSALS = [401, 403, 404, 422];

/** Which webhooks arrive: most of them, fewer, or none in the whole history. */
export function webhooksOf(kind: WorldKind, seed: number): "most" | "lossy" | "none" {
  if (kind !== "polling") return "most";
  return seed % 4 === 3 ? "lossy" : "none";
}

const DROPS = { most: 0.05, lossy: 0.3, none: 1 };

/** Sets the rates of faults for all requests and webhooks. */
export function setFaults(
  { faults }: GitHubSimulator,
  without: readonly Fault[],
  webhooks: ReturnType<typeof webhooksOf>,
): void {
  const rate = (fault: Fault, often: number) => (without.includes(fault) ? 0 : often);
  Object.assign(faults.webhooks, {
    drop: webhooks === "none" ? DROPS.none : rate("drops", DROPS[webhooks]),
    // The second of two deliveries would arrive, although all webhooks must be lost.
    duplicate: webhooks === "none" ? 0 : rate("doubles", 0.1),
    reorder: rate("reordering", 0.2),
    delayMs: without.includes("delays") ? 10 : { min: 10, max: 1_500 },
  });
  Object.assign(faults.api, {
    errorRate: rate("errors", 0.03),
    lostAnswer: { rate: rate("lost-answers", 0.05), applied: "either", as: "reset" },
    staleReads: { rate: rate("stale-reads", 0.03), lagMs: { min: 500, max: 5_000 } },
  });
}

/** GitHub usually answers 404 for a deleted comment, and sometimes 410. */
function goneAgain(history: History, random: Random) {
  const gone = [...history.deleted.keys()].filter((name) => name.startsWith("issue_comment:"));
  const id = (choose(gone, random) ?? "issue_comment:0").split(":")[1] ?? "0";
  return { status: 410, path: new RegExp(`/issues/comments/${id}$`) };
}

/** Starts or ends one more fault. */
export async function makeTrouble(
  { github, tandem }: TestTandem,
  random: Random,
  history: History,
  places: readonly ConnectedSite[],
): Promise<void> {
  const { api } = github.faults;
  const chance = random();
  // An outage ends sooner than it starts, so that a history is not mostly a standstill.
  if (chance < (api.down ? 0.7 : 0.2)) {
    api.down = !api.down;
    history.tell(`github is ${api.down ? "down" : "up"}`);
  } else if (chance < 0.5) {
    // An exhausted hourly limit is a long standstill, so it is drawn rarely.
    const limit =
      random() < 0.1 ? "rate-limit" : random() < 0.5 ? "secondary-limit" : "refusal with 429";
    if (limit === "refusal with 429") {
      const headers = { "content-type": "application/json", "retry-after": "20" };
      github.failNext({ with: { status: 429, headers, body: '{"message":"Too Many Requests"}' } });
    } else github.failNext({ with: limit, retryAfterSeconds: 20 });
    history.tell(`the next request meets a ${limit}`);
  } else if (chance < 0.55) {
    const { status, path } = goneAgain(history, random);
    github.failNext({ method: "GET", path, with: status });
    history.tell("a deleted comment is answered with 410");
  } else if (chance < 0.8) {
    const status = choose(REFUSALS, random) ?? 401;
    github.failNext({ with: status, ...(status === 404 ? { method: "PATCH" } : {}) });
    history.tell(`the next request is refused with ${String(status)}`);
  } else if (chance < 0.9) {
    const place = somePlace(places, random);
    await tandem.pause(place.connection, "a person has paused it");
    history.tell(`the connection${placeName(place, places)} is paused`);
  } else if (chance < 0.97) {
    const place = somePlace(places, random);
    await tandem.enable(place.connection);
    history.tell(`the connection${placeName(place, places)} is enabled`);
  } else {
    await restartErrored(tandem, history);
  }
}

/** A person restarts every event that has failed. */
export async function restartErrored(
  tandem: TestTandem["tandem"],
  history: History,
): Promise<void> {
  const errored = await tandem.services.store.ledger.events({ state: "errored", limit: 1_000 });
  for (const { id } of errored) {
    await tandem.fetch(
      new Request(`http://localhost/api/events/${id}/restart`, { method: "POST" }),
    );
  }
  history.tell(`a person restarts what has failed: ${String(errored.length)} events`);
}

/** Ends all faults. */
export async function stopTrouble(
  { github, tandem }: TestTandem,
  history: History,
  places: readonly ConnectedSite[],
  webhooks: ReturnType<typeof webhooksOf>,
): Promise<void> {
  github.clearFaults();
  // In this world webhooks were never enabled.
  if (webhooks === "none") github.faults.webhooks.drop = DROPS.none;
  for (const { connection } of places) await tandem.enable(connection);
  history.tell("the faults stop");
}

/** A connected repository. If there is only one, no number is drawn. */
function somePlace(places: readonly ConnectedSite[], random: Random): ConnectedSite {
  const place = places.length === 1 ? places[0] : choose(places, random);
  if (place === undefined) throw new Error("nothing is connected");
  return place;
}

function placeName({ repository }: ConnectedSite, places: readonly ConnectedSite[]): string {
  return places.length === 1 ? "" : ` of ${repository}`;
}
