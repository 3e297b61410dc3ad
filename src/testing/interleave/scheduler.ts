/**
 * Interleaves the statements of several actors on one Postgres by a plan.
 *
 * 1. An actor stops before each of its statements; `begin` and `commit` are statements.
 * 2. One statement is released at a time, and only when every actor has stopped, ended, or waits for a lock.
 * 3. An actor runs until it pauses, ends, or waits. A pausing actor waits for all others to end or pause.
 * 4. Actors wait for locks in the database itself, so a deadlock is a real one.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../runtime/failures/index.ts";
import { nameOfPause, type Part, type StatementPosition, type Interleaving } from "./plan.ts";

/** How long an actor may compute between two statements. One that takes longer waits for another actor. */
const COMPUTES_MS = 60;
/** The least number of event-loop turns for that: on a busy machine the time can pass without any. */
const COMPUTES_TURNS = 500;
/** A statement that takes longer may be waiting for a lock. */
const SOON_MS = 3;
/** The time without any progress after which the history counts as hanging. */
const HANGS_AFTER_MS = 10_000;

/** A connection whose statements are scheduled. */
export interface Session {
  /** The Postgres process that serves it. */
  readonly pid: number;
}

/** A step of an actor; its steps run one after the other. */
export interface ScheduledStep {
  readonly id: number;
  readonly run: () => Promise<void>;
}

/** A released statement, or a failed step. */
export interface Traced {
  readonly actor: string;
  readonly step: number;
  readonly text: string;
  /** Whether the actor paused before it while other actors ran. */
  readonly paused: boolean;
}

interface Actor {
  readonly name: string;
  readonly running: Set<Session>;
  step: number;
  /** The statements of its step so far. */
  count: number;
  ended: boolean;
}

interface Parked {
  readonly actor: Actor;
  readonly place: StatementPosition;
  readonly pauses: boolean;
  /** Whether another actor ran in the meantime. */
  passedOver: boolean;
  readonly statement: string;
  readonly go: () => void;
}

/** Finds the Postgres processes, among the given ones, that wait for a lock. */
export type FindWaiting = (pids: readonly number[]) => Promise<ReadonlySet<number>>;

export class Scheduler {
  readonly trace: Traced[] = [];
  /** The pauses in which other actors ran. */
  readonly pauses: Part[] = [];
  readonly #plan: Pick<Interleaving, "pauses" | "rank">;
  readonly #findWaiting: FindWaiting;
  readonly #isAskedOutside: () => boolean;
  readonly #current = new AsyncLocalStorage<Actor>();
  readonly #actors: Actor[] = [];
  #parked: Parked[] = [];
  /** The running statement, until it has ended. */
  #latest: Promise<unknown> = Promise.resolve();
  readonly #failures: unknown[] = [];
  #isOver = false;

  /** @param isAskedOutside Whether an actor waits for an unscheduled statement. Default: never. */
  constructor(
    plan: Pick<Interleaving, "pauses" | "rank">,
    findWaiting: FindWaiting,
    isAskedOutside: () => boolean = () => false,
  ) {
    this.#plan = plan;
    this.#findWaiting = findWaiting;
    this.#isAskedOutside = isAskedOutside;
  }

  /** Starts an actor, which stops before its first statement. */
  start(name: string, steps: readonly ScheduledStep[]): void {
    const actor: Actor = { name, running: new Set(), step: 0, count: 0, ended: false };
    this.#actors.push(actor);
    void this.#current
      .run(actor, async () => {
        for (const { id, run } of steps) {
          Object.assign(actor, { step: id, count: 0 });
          await run();
        }
      })
      .catch((error: unknown) => this.#failures.push(error))
      .finally(() => {
        actor.ended = true;
      });
  }

  /** Records in the trace that a step of the current actor failed; the actor continues with its next step. */
  noteFailure(error: unknown): void {
    const { name, step } = this.#current.getStore() ?? { name: "", step: 0 };
    const text = `(the step failed: ${messageOf(error)})`;
    this.trace.push({ actor: name, step, text, paused: false });
  }

  /** Runs a statement when the scheduler releases it, or directly if no actor issued it. */
  async step<T>(session: Session, statement: string, run: () => Promise<T>): Promise<T> {
    const actor = this.#current.getStore();
    if (actor === undefined || this.#isOver) return run();
    actor.count += 1;
    const place = { step: actor.step, nth: actor.count };
    const pauses = this.#plan.pauses(place);
    await new Promise<void>((go) =>
      this.#parked.push({ actor, place, pauses, passedOver: false, statement, go }),
    );
    actor.running.add(session);
    const ended = run().finally(() => actor.running.delete(session));
    this.#latest = ended.catch(() => undefined);
    return ended;
  }

  /** Runs all actors to their end. @throws the first error of an actor, or an Error if nothing progresses. */
  async run(): Promise<void> {
    try {
      await this.#runAll();
    } finally {
      // A failed step may have left parked statements, which would block their connections forever.
      this.#isOver = true;
      for (const { go } of this.#parked) go();
    }
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #runAll(): Promise<void> {
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
      this.#release(next);
    }
  }

  #release(next: Parked): void {
    this.#parked = this.#parked.filter((one) => one !== next);
    for (const one of this.#parked) one.passedOver = true;
    const { actor, place, statement, pauses, passedOver } = next;
    const paused = pauses && passedOver;
    if (paused) this.pauses.push(nameOfPause(place));
    this.trace.push({ actor: actor.name, step: place.step, text: statement, paused });
    next.go();
  }

  /** Continues the last actor. If it pauses, chooses one that does not; if all pause, any of them. */
  #choose(last: Actor | null): Parked | null {
    const awake = this.#parked.filter(({ pauses }) => !pauses);
    const own = awake.filter(({ actor }) => actor === last);
    return (
      this.#highest(own) ??
      this.#highest(awake) ??
      this.#highest(this.#parked.filter(({ actor }) => actor !== last)) ??
      this.#highest(this.#parked)
    );
  }

  #highest(among: readonly Parked[]): Parked | null {
    const ranked = among.map((parked) => ({ parked, rank: this.#plan.rank(parked.place) }));
    return ranked.sort((a, b) => b.rank - a.rank)[0]?.parked ?? null;
  }

  /** Waits until every running statement waits for a lock, and no actor computes. */
  async #quiet(): Promise<void> {
    await Promise.race([this.#latest, delay(SOON_MS)]);
    let since = performance.now();
    let turns = 0;
    while (performance.now() - since < COMPUTES_MS || turns < COMPUTES_TURNS) {
      await nextTurn();
      turns += 1;
      if (this.#isAskedOutside()) {
        since = performance.now();
        turns = 0;
        continue;
      }
      const pids = this.#actors.flatMap(({ running }) => [...running].map(({ pid }) => pid));
      if (pids.length === 0) {
        if (this.#actors.every((actor) => actor.ended || this.#isParked(actor))) return;
        continue;
      }
      const waiting = await this.#findWaiting(pids);
      // A statement may have just ended: give its actor time to issue the next one.
      if (pids.every((pid) => waiting.has(pid)) && this.#areOthersAtRest()) return;
      since = performance.now();
      turns = 0;
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
    return `no actor progresses; not ended: ${names.join(", ")}`;
  }
}
