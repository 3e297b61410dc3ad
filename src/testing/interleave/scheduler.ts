/**
 * Interleaves the statements of several actors on one Postgres, by a seed.
 *
 * 1. An actor stops before each of its statements; `begin` and `commit` are statements.
 * 2. One statement is released at a time, and only when every actor has stopped, ended, or waits for a lock.
 * 3. Locks are waited for in the database itself, so a deadlock is a real one.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../model/clock.ts";

/** How long an actor may compute between two statements; one that takes longer waits for another actor. */
const COMPUTES_MS = 60;
/** A statement that takes longer may wait for a lock. */
const SOON_MS = 3;
/** How often an actor stands still after a statement, in half of the histories. */
const STANDS_STILL = 0.06;
/** How long nothing may move before the history counts as hanging. */
const HANGS_AFTER_MS = 10_000;

/** A connection whose statements are scheduled. */
export interface Session {
  /** The process of Postgres that serves it. */
  readonly pid: number;
}

interface Actor {
  readonly name: string;
  readonly running: Set<Session>;
  ended: boolean;
}

interface Parked {
  readonly actor: Actor;
  readonly statement: string;
  readonly go: () => void;
}

/** Which of these processes wait for a lock. */
export type FindWaiting = (pids: readonly number[]) => Promise<ReadonlySet<number>>;

export class Scheduler {
  readonly trace: string[] = [];
  readonly #random: Random;
  readonly #findWaiting: FindWaiting;
  /** How often the actor that ran last runs on; `null`: always, until it stands still for long. */
  readonly #stays: number | null;
  /** Actors that stand still, the one that has for longest first. */
  readonly #standing: Actor[] = [];
  readonly #current = new AsyncLocalStorage<Actor>();
  readonly #actors: Actor[] = [];
  #parked: Parked[] = [];
  /** The statement that runs, until it has ended. */
  #latest: Promise<unknown> = Promise.resolve();
  readonly #failures: unknown[] = [];

  constructor(random: Random, findWaiting: FindWaiting) {
    this.#random = random;
    this.#findWaiting = findWaiting;
    this.#stays = [0, 0.8, null, null][Math.floor(random() * 4)] ?? null;
  }

  /** Begins an actor's work; it stops before its first statement. */
  start(name: string, work: () => Promise<void>): void {
    const actor: Actor = { name, running: new Set(), ended: false };
    this.#actors.push(actor);
    void this.#current
      .run(actor, work)
      .catch((error: unknown) => this.#failures.push(error))
      .finally(() => {
        actor.ended = true;
      });
  }

  /** Runs a statement when its turn comes; at once where no actor asks. */
  async step<T>(session: Session, statement: string, run: () => Promise<T>): Promise<T> {
    const actor = this.#current.getStore();
    if (actor === undefined) return run();
    await new Promise<void>((go) => this.#parked.push({ actor, statement, go }));
    actor.running.add(session);
    const ended = run().finally(() => actor.running.delete(session));
    this.#latest = ended.catch(() => undefined);
    return ended;
  }

  /** Lets all actors come to their end. @throws what the first of them threw. */
  async run(): Promise<void> {
    let last: Actor | null = null;
    let movedAt = performance.now();
    for (;;) {
      await this.#quiet();
      if (this.#actors.every(({ ended }) => ended)) break;
      const next = this.#choose(last);
      if (next === null) {
        if (performance.now() - movedAt > HANGS_AFTER_MS) throw new Error(this.#whoHangs());
        await delay(1);
        continue;
      }
      movedAt = performance.now();
      last = next.actor;
      this.#parked = this.#parked.filter((one) => one !== next);
      this.trace.push(`${next.actor.name}: ${next.statement}`);
      next.go();
    }
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  #choose(last: Actor | null): Parked | null {
    const own = this.#parked.filter(({ actor }) => actor === last);
    const among = own.length > 0 && this.#staysWith(last) ? own : this.#awake();
    // Which actor comes first does not depend on which stopped first.
    const sorted = [...among].sort((a, b) => (a.actor.name < b.actor.name ? -1 : 1));
    return sorted[Math.floor(this.#random() * sorted.length)] ?? null;
  }

  /** Whether the actor that ran last runs on; else it may stand still while all others come to their end. */
  #staysWith(last: Actor | null): boolean {
    if (this.#stays !== null) return this.#random() < this.#stays;
    if (this.#random() >= STANDS_STILL) return true;
    if (last !== null) this.#standing.push(last);
    return false;
  }

  /** Statements of those who do not stand still; where all do, of the one that has for longest. */
  #awake(): readonly Parked[] {
    for (;;) {
      const awake = this.#parked.filter(({ actor }) => !this.#standing.includes(actor));
      if (awake.length > 0 || this.#standing.length === 0) return awake;
      this.#standing.shift();
    }
  }

  /** Waits until no statement runs that does not wait for a lock, and no actor computes. */
  async #quiet(): Promise<void> {
    await Promise.race([this.#latest, delay(SOON_MS)]);
    let since = performance.now();
    while (performance.now() - since < COMPUTES_MS) {
      await nextTurn();
      const pids = this.#actors.flatMap(({ running }) => [...running].map(({ pid }) => pid));
      if (pids.length === 0) {
        if (this.#actors.every((actor) => actor.ended || this.#isParked(actor))) return;
        continue;
      }
      const waiting = await this.#findWaiting(pids);
      // A statement that has just ended goes on to the next one first.
      if (pids.every((pid) => waiting.has(pid)) && this.#areOthersAtRest()) return;
      since = performance.now();
    }
  }

  #areOthersAtRest(): boolean {
    return this.#actors.every(
      (actor) => actor.ended || actor.running.size > 0 || this.#isParked(actor),
    );
  }

  #isParked(actor: Actor): boolean {
    return this.#parked.some((one) => one.actor === actor);
  }

  #whoHangs(): string {
    const names = this.#actors.filter(({ ended }) => !ended).map(({ name }) => name);
    return `nothing moves any more; not ended: ${names.join(", ")}`;
  }
}
