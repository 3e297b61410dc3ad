/**
 * Four workers on one database: their steps in any order, their requests under way at once, and
 * each of them dies now and then in the middle of it.
 */
import type { Random } from "../../model/clock.ts";
import { AddressBook } from "../../runtime/address-book.ts";
import { claimDue, type Claimed, passOnLeases } from "../../runtime/claim.ts";
import { drainChanges } from "../../runtime/drain.ts";
import { messageOf } from "../../runtime/failures.ts";
import { pollConnection } from "../../runtime/poll.ts";
import { processClaimed } from "../../runtime/process-claimed.ts";
import type { Services } from "../../runtime/services.ts";
import { sweepConnection } from "../../runtime/sweep.ts";
import { translateDeliveries } from "../../runtime/translate-deliveries.ts";
import { choose } from "./edits.ts";
import type { History } from "./history.ts";
import type { Task, Traffic } from "./traffic.ts";

/** A lease that stalls outlive: nobody renews it, as where a process stands still. */
const LEASE_MS = 20_000;
const NAMES = ["ada", "bob", "cleo", "dan"];

interface Worker {
  readonly name: string;
  killed: AbortController;
}

export class Workers {
  readonly #services: Services;
  readonly #traffic: Traffic;
  readonly #random: Random;
  readonly #history: History;
  readonly #workers: readonly Worker[] = NAMES.map((name) => ({
    name,
    killed: new AbortController(),
  }));
  readonly #claims = new Map<string, Claimed>();
  #tasks = 0;
  /** Writes of workers that had lost their claim, which should have been refused. */
  readonly trespasses: string[] = [];

  constructor(services: Services, traffic: Traffic, random: Random, history: History) {
    this.#services = services;
    this.#traffic = traffic;
    this.#random = random;
    this.#history = history;
  }

  /** Some worker takes some of the loops' steps. */
  async work(): Promise<void> {
    const worker = this.#someone();
    const steps = [
      () => translateDeliveries(this.#services),
      () => drainChanges(this.#services),
      () => passOnLeases(this.#services),
      () => this.#claim(worker),
      () => this.#claim(worker),
    ];
    for (const step of shuffled(steps, this.#random)) if (this.#random() < 0.8) await step();
  }

  /** Some requests go on their way, or their answers are heard. */
  async goOn(most: number): Promise<void> {
    for (let count = Math.ceil(this.#random() * most); count > 0; count -= 1) {
      const task = choose(this.#traffic.parked, this.#random);
      if (task === undefined) return;
      await this.#resume(task);
    }
  }

  async poll(): Promise<void> {
    await this.#look("poll", async (contact, signal) => {
      await pollConnection(this.#services, contact, signal);
    });
  }

  async sweep(): Promise<void> {
    await this.#look("sweep", async (contact, signal) => {
      await sweepConnection(this.#services, contact, signal);
    });
  }

  /** A worker dies with all that it has under way, and comes back with empty hands. */
  async crash(): Promise<void> {
    const worker = this.#someone();
    const orphans = this.#traffic.parked.filter((task) => task.worker === worker.name);
    this.#history.tell(
      `${worker.name} is killed with ${String(orphans.length)} requests under way`,
    );
    worker.killed.abort();
    for (const task of orphans) await this.#traffic.resume(task);
    worker.killed = new AbortController();
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
    const book = await AddressBook.open(this.#services);
    const most = 1 + Math.floor(this.#random() * 4);
    const claims = await claimDue(this.#services, book, worker.name, LEASE_MS, most);
    if (claims.length > 0 && this.#random() < 0.02) {
      this.#history.tell(`${worker.name} dies with ${String(claims.length)} fresh claims`);
      return;
    }
    for (const claimed of claims) {
      const name = this.#nameTask(`${claimed.direction} on lane ${claimed.lane}`);
      this.#claims.set(name, claimed);
      const { signal } = worker.killed;
      await this.#traffic.start({ name, worker: worker.name, admits: false }, () =>
        processClaimed(this.#services, claimed, book, signal),
      );
    }
  }

  async #look(
    what: string,
    look: (contact: AddressBook["contacts"][number], signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const worker = this.#someone();
    const { signal } = worker.killed;
    const book = await AddressBook.open(this.#services);
    for (const contact of book.contacts) {
      const task = { name: this.#nameTask(what), worker: worker.name, admits: true };
      await this.#traffic.start(task, () =>
        look(contact, signal).catch((error: unknown) => {
          this.#history.tell(`${worker.name}'s ${what} failed: ${messageOf(error)}`);
        }),
      );
    }
  }

  /** Who lost the claim meanwhile may hear the answer, and must leave the lane as it is. */
  async #resume(task: Task): Promise<void> {
    const claimed = this.#claims.get(task.name);
    const before = claimed === undefined ? null : await this.#laneWithoutClaim(claimed);
    this.#history.tell(`${task.worker}: ${task.asks} is ${saidOf(task)}, ${task.name}`);
    await this.#traffic.resume(task);
    if (claimed === undefined || before === null) return;
    const after = await this.#laneWithoutClaim(claimed);
    if (after === before) return;
    this.trespasses.push(
      `${task.name} wrote after its claim had passed on: ${before} to ${after ?? ""}`,
    );
  }

  /** The lane of a claim that has passed on, as text; `null` while the claim holds. */
  async #laneWithoutClaim({ lane: id, claim }: Claimed): Promise<string | null> {
    const [lane] = await this.#services.store.transaction((tx) => tx.lockLanes([id]));
    const held = lane?.live.some(
      (event) =>
        event.id === claim.event && event.state === "processing" && event.epoch === claim.epoch,
    );
    return held === true ? null : JSON.stringify(lane);
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

function saidOf({ at }: Task): string {
  return at === "departing" ? "sent" : "answered";
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
