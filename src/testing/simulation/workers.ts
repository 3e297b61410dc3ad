/**
 * Four workers on one database: their steps in any order, their requests under way at once, and
 * each of them dies now and then in the middle of it: at the network, or at a failpoint.
 */
import { countHeld } from "../../engine/limits/index.ts";
import type { Random } from "../../model/clock.ts";
import {
  AddressBook,
  type Claimed,
  type Failpoint,
  createMicroBatcher,
  messageOf,
  type Services,
  watchFailpoints,
} from "../../runtime/services/index.ts";
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
import type { History } from "./history.ts";
import type { LedgerWatch } from "./ledger-watch.ts";
import { choose } from "./stage.ts";
import type { WorkItem, Traffic } from "./traffic.ts";

/** A lease that stalls outlive: it is renewed now and then only, as where a process stands still. */
export const SIMULATED_LEASE_MS = 20_000;
/** How much a worker does at once. */
const PLACES = 6;
/** How often a worker that does something renews the lease of each claim that it has under way. */
const RENEWS = 0.25;
/** How often whoever comes by a failpoint dies there; more often where few come by. */
const DIES = 0.01;
const DIES_WHERE_RARE = 0.1;
const RARE = /:(?:adoption|heartbeat)$/;
const NAMES = ["ada", "bob", "cleo", "dan"];

interface Worker {
  readonly name: string;
  killed: AbortController;
}

/** Ends what a worker was doing when it died. */
class WorkerDied extends Error {
  override readonly name = "WorkerDied";
}

export interface Crew {
  readonly services: Services;
  readonly traffic: Traffic;
  readonly random: Random;
  /** For heartbeats, which are no move of their own. */
  readonly beats: Random;
  /** Who comes by a failpoint draws from it; `null`: nobody dies there. */
  readonly dying: Random | null;
  readonly history: History;
  readonly watch: LedgerWatch;
  /** Whether there are users to link; else no worker looks for any. */
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
  /** Where workers died. */
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

  /** Some worker takes some of the loops' steps. */
  async work(): Promise<void> {
    const worker = this.#someone();
    const own = this.#servicesOf(worker, null);
    const steps = [
      // What can be ended at once is, or it waits for its turn: both happen.
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

  /** Some requests go on their way, or their answers are heard. */
  async goOn(most: number): Promise<void> {
    for (let count = Math.ceil(this.#random() * most); count > 0; count -= 1) {
      const task = choose(this.#traffic.parked, this.#random);
      if (task === undefined) return;
      await this.#resume(task);
    }
  }

  /** Everything that is under way now, and what follows of it, comes to its end. */
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

  /** A worker dies with all that it has under way, and comes back with empty hands. */
  async crash(): Promise<void> {
    await this.#bury(this.#someone(), "is killed");
  }

  /**
   * The services as a worker has them, or one of its tasks. Each has a way of its own to the store, so
   * that what is written there, and what somebody dies of, is put down to nobody else: webhooks are
   * taken in meanwhile.
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

  /** A worker comes by a failpoint. Whoever is unlucky dies there, and writes nothing more. */
  #pass(worker: Worker, point: Failpoint): void {
    const often = RARE.test(point) ? DIES_WHERE_RARE : DIES;
    if (this.#dying === null || worker.killed.signal.aborted || this.#dying() >= often) return;
    this.#history.tell(`${worker.name} dies ${point.replace(":", " the ")}`);
    this.deaths.push(point);
    this.#traffic.dieRunning();
    worker.killed.abort();
    throw new WorkerDied(`${worker.name} died at ${point}`);
  }

  /** What a dead worker had sent arrives at last. */
  async land(): Promise<void> {
    if (this.#traffic.strays === 0) return;
    const asks = await this.#traffic.land(Math.floor(this.#random() * this.#traffic.strays));
    this.#history.tell(`a request of nobody's lands: ${asks}`);
  }

  /** Everything under way comes to its end, and what was lost stays lost. */
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
    const book = await AddressBook.open(this.#services);
    const held = this.#heldBy(worker);
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
      // Who died of the first does not come to the others.
      if (signal.aborted) return;
    }
  }

  /** A heartbeat for what a worker has under way. Where it dies of one, its other work dies too. */
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

  /** What a worker has under way. */
  #heldBy(worker: Worker): readonly Claimed[] {
    return this.#traffic.parked.flatMap((task) => {
      const claimed = task.worker === worker.name ? this.#claims.get(task.name) : undefined;
      return claimed === undefined ? [] : [claimed];
    });
  }

  async #look(what: string, look: typeof pollConnection | typeof sweepConnection): Promise<void> {
    const worker = this.#someone();
    const services = this.#servicesOf(worker, null);
    const { signal } = worker.killed;
    const book = await AddressBook.open(this.#services);
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

  /** A worker does something; should it die of it, so does all else that it has under way. */
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
    this.#history.tell(`${worker.name} ${how} with ${String(orphans.length)} requests under way`);
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
