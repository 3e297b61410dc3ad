/**
 * Four workers on one database, with their steps in any order and several pending requests each. Now and then
 * one of them dies during its work: at the network, or at a failpoint.
 */
import { countHeld } from "../../engine/limits/index.ts";
import type { Random } from "../../model/clock.ts";
import {
  type Claimed,
  createMicroBatcher,
  DirectorySnapshot,
  type Failpoint,
  type Services,
  watchFailpoints,
} from "../../runtime/services/index.ts";
import { messageOf } from "../../runtime/failures/index.ts";
import {
  claimDue,
  processDueBatch,
  passOnLeases,
  processClaimed,
} from "../../runtime/worker/index.ts";
import { renewLease } from "../../runtime/claims/index.ts";
import { drainChanges } from "../../runtime/outbound/index.ts";
import { followLink } from "../../runtime/identities/index.ts";
import { pollConnection, sweepConnection } from "../../runtime/reconcile/index.ts";
import { translateDeliveries } from "../../runtime/receive/index.ts";
import type { History, LedgerWatch, Traffic, WorkItem } from "./history/index.ts";
import { choose } from "./people/index.ts";

/** Some stalls outlast the lease, because it is renewed rarely, as if the process stood still. */
export const SIMULATED_LEASE_MS = 20_000;
/** The number of parallel events of a worker. */
const PLACES = 6;
/** How often an active worker renews the lease of each of its claims. */
const RENEWS = 0.25;
/** The probability of a death at a failpoint, and at one that few workers reach. */
const DIES = 0.01;
const DIES_WHERE_RARE = 0.1;
const RARE = /:(?:adoption|heartbeat)$/;
const NAMES = ["ada", "bob", "cleo", "dan"];

interface Worker {
  readonly name: string;
  killed: AbortController;
}

/** Thrown to end a worker's task when the worker dies. */
class WorkerDied extends Error {
  override readonly name = "WorkerDied";
}

export interface Crew {
  readonly services: Services;
  readonly traffic: Traffic;
  readonly random: Random;
  /** Random numbers for heartbeats, which are no moves. */
  readonly beats: Random;
  /** Random numbers for deaths at failpoints; `null`: no worker dies there. */
  readonly dying: Random | null;
  readonly history: History;
  readonly watch: LedgerWatch;
  /** Whether there are users to link; otherwise no worker looks for any. */
  readonly linking: boolean;
}

export class Workers {
  readonly #services: Services;
  readonly #traffic: Traffic;
  readonly #random: Random;
  readonly #beats: Random;
  readonly #dying: Random | null;
  readonly #history: History;
  readonly #workers: readonly Worker[] = NAMES.map((name) => ({
    name,
    killed: new AbortController(),
  }));
  readonly #watch: LedgerWatch;
  readonly #linking: boolean;
  readonly #claims = new Map<string, Claimed>();
  #tasks = 0;
  /** The failpoints at which workers died. */
  readonly deaths: Failpoint[] = [];

  constructor({ services, traffic, random, beats, dying, history, watch, linking }: Crew) {
    this.#linking = linking;
    this.#beats = beats;
    this.#dying = dying;
    this.#watch = watch;
    this.#services = services;
    this.#traffic = traffic;
    this.#random = random;
    this.#history = history;
  }

  /** A worker runs some steps of its loops. */
  async work(): Promise<void> {
    const worker = this.#someone();
    const own = this.#servicesOf(worker, null);
    const steps = [
      // Covers both ways: due events are processed as they are admitted, or wait for a claim.
      () => translateDeliveries(own, this.#random() < 0.5 ? worker.name : null),
      () => drainChanges(own),
      () => passOnLeases(own),
      () => this.#claim(worker),
      () => this.#claim(worker),
      ...(this.#linking ? [() => followLink(own)] : []),
    ];
    for (const step of shuffled(steps, this.#random)) {
      if (this.#random() >= 0.8) continue;
      await this.#act(worker, async () => {
        await step();
      });
    }
    await this.#renew(worker);
  }

  /** Some requests take effect, or their responses are received. */
  async goOn(most: number): Promise<void> {
    for (let count = Math.ceil(this.#random() * most); count > 0; count -= 1) {
      const task = choose(this.#traffic.parked, this.#random);
      if (task === undefined) return;
      await this.#resume(task);
    }
  }

  /** All pending requests, and those that follow from them, are answered. */
  async answerAll(): Promise<void> {
    for (let left = 100; left > 0; left -= 1) {
      const [task] = this.#traffic.parked;
      if (task === undefined) return;
      await this.#resume(task);
    }
  }

  async poll(): Promise<void> {
    await this.#look("poll", pollConnection);
  }

  async sweep(): Promise<void> {
    await this.#look("sweep", sweepConnection);
  }

  /** A worker dies with all its pending work, and restarts without any. */
  async crash(): Promise<void> {
    await this.#bury(this.#someone(), "is killed");
  }

  /**
   * The services of a worker, or of one of its tasks. Each has its own wrapper of the store, so that writes and
   * deaths are attributed correctly while webhooks are ingested in between.
   */
  #servicesOf(worker: Worker, task: (Claimed & { readonly name: string }) | null): Services {
    const { store } = this.#services;
    const failpoints = { reach: async (point: Failpoint) => this.#pass(worker, point) };
    const own = task === null ? store : this.#watch.underClaim(store, task);
    const watched = watchFailpoints(own, failpoints);
    return {
      ...this.#services,
      store: watched,
      failpoints,
      answers: createMicroBatcher(),
      reads: createMicroBatcher(),
    };
  }

  /** A worker reaches a failpoint, where it may die. A dead worker writes nothing more. */
  #pass(worker: Worker, point: Failpoint): void {
    const often = RARE.test(point) ? DIES_WHERE_RARE : DIES;
    if (this.#dying === null || worker.killed.signal.aborted || this.#dying() >= often) return;
    this.#history.tell(`${worker.name} dies ${point.replace(":", " the ")}`);
    this.deaths.push(point);
    this.#traffic.dieRunning();
    worker.killed.abort();
    throw new WorkerDied(`${worker.name} died at ${point}`);
  }

  /** A pending request of a dead worker takes effect. */
  async land(): Promise<void> {
    if (this.#traffic.strays === 0) return;
    const asks = await this.#traffic.land(Math.floor(this.#random() * this.#traffic.strays));
    this.#history.tell(`a dead worker's request lands: ${asks}`);
  }

  /** All pending work ends, and the requests of dead workers are dropped. */
  async finish(): Promise<void> {
    for (;;) {
      const [task] = this.#traffic.parked;
      if (task === undefined) break;
      await this.#resume(task);
    }
    this.#traffic.forgetStrays();
  }

  async #claim(worker: Worker): Promise<void> {
    const { signal } = worker.killed;
    const book = await DirectorySnapshot.open(this.#services);
    const held = this.#underClaim(worker);
    const free = PLACES - held.length;
    const most = Math.min(1 + Math.floor(this.#random() * 4), free);
    const claims: Claimed[] = [];
    const own = this.#servicesOf(worker, null);
    await this.#act(worker, async () => {
      if (this.#random() < 0.5) await processDueBatch(own, book, worker.name, Math.max(1, most));
      if (free <= 0) return;
      const places = { total: PLACES, held: countHeld(held) };
      claims.push(...(await claimDue(own, book, worker.name, SIMULATED_LEASE_MS, most, places)));
    });
    for (const claimed of claims) {
      const name = this.#nameTask(`${claimed.direction} on lane ${claimed.lane}`);
      this.#claims.set(name, claimed);
      const services = this.#servicesOf(worker, { ...claimed, name });
      await this.#act(worker, () =>
        this.#traffic.start({ name, worker: worker.name, admits: false }, () =>
          processClaimed(services, claimed, book, signal).catch(unlessDied),
        ),
      );
      // A worker that died during the first claim must not process the others.
      if (signal.aborted) return;
    }
  }

  /** Renews the leases of a worker's claims. If the worker dies doing so, its other work ends too. */
  async #renew(worker: Worker): Promise<void> {
    const { signal } = worker.killed;
    const own = this.#servicesOf(worker, null);
    const parked = this.#traffic.parked.filter((task) => task.worker === worker.name);
    for (const { name } of parked) {
      const claimed = this.#claims.get(name);
      if (claimed === undefined || this.#beats() >= RENEWS) continue;
      await this.#act(worker, async () => {
        const holds = await renewLease(own, claimed, SIMULATED_LEASE_MS);
        if (holds) this.#history.tell(`${worker.name} renews its lease, ${name}`);
      });
      if (signal.aborted) return;
    }
  }

  /** The claims of a worker's pending tasks. */
  #underClaim(worker: Worker): readonly Claimed[] {
    return this.#traffic.parked.flatMap((task) => {
      const claimed = task.worker === worker.name ? this.#claims.get(task.name) : undefined;
      return claimed === undefined ? [] : [claimed];
    });
  }

  async #look(what: string, look: typeof pollConnection | typeof sweepConnection): Promise<void> {
    const worker = this.#someone();
    const services = this.#servicesOf(worker, null);
    const { signal } = worker.killed;
    const book = await DirectorySnapshot.open(this.#services);
    for (const contact of book.contacts) {
      const task = { name: this.#nameTask(what), worker: worker.name, admits: true };
      await this.#act(worker, () =>
        this.#traffic.start(task, async () => {
          try {
            await look(services, contact, signal);
          } catch (error) {
            this.#history.tell(`${worker.name}'s ${what} failed: ${messageOf(error)}`);
          }
        }),
      );
      if (signal.aborted) return;
    }
  }

  async #resume(task: WorkItem): Promise<void> {
    const worker = this.#workers.find(({ name }) => name === task.worker);
    this.#history.tell(`${task.worker}: ${task.asks} is ${saidOf(task)}, ${task.name}`);
    if (worker !== undefined) await this.#act(worker, () => this.#traffic.resume(task));
  }

  /** A worker acts. If it dies doing so, all its pending work ends too. */
  async #act(worker: Worker, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof WorkerDied)) throw error;
    }
    if (worker.killed.signal.aborted) await this.#bury(worker, "is gone");
  }

  async #bury(worker: Worker, how: string): Promise<void> {
    const orphans = this.#traffic.parked.filter((task) => task.worker === worker.name);
    this.#history.tell(`${worker.name} ${how} with ${String(orphans.length)} pending requests`);
    worker.killed.abort();
    for (const task of orphans) await this.#traffic.resume(task);
    worker.killed = new AbortController();
  }

  #nameTask(what: string): string {
    this.#tasks += 1;
    return `task ${String(this.#tasks)} (${what})`;
  }

  #someone(): Worker {
    const worker = choose(this.#workers, this.#random);
    if (worker === undefined) throw new Error("there are no workers");
    return worker;
  }
}

function unlessDied(error: unknown): void {
  if (!(error instanceof WorkerDied)) throw error;
}

function saidOf({ at }: WorkItem): string {
  return at === "departing" ? "sent" : "answered";
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
