/**
 * The small world of two workers on one lane, with the real engine in it. A lease may run out while
 * its worker goes on; every step that ends something asks whether the claim still holds. Steps are
 * named as in `spec/fence.pml`.
 */
import type { Content } from "../../src/model/content.ts";
import type { EventId } from "../../src/model/ids.ts";
import type { Lane, Transition } from "../../src/model/lane.ts";
import { admit } from "../../src/engine/admission/admit.ts";
import { concludeInbound } from "../../src/engine/processing/inbound.ts";
import { planMerge, type ObservedState, observedState } from "../../src/engine/merge/merge.ts";
import {
  concludeAnswer,
  concludeLook,
  stepOutbound,
} from "../../src/engine/processing/outbound.ts";
import { admitChange } from "../../src/engine/processing/local-change.ts";
import {
  claim,
  type Claim,
  expireLeases,
  holdsClaim,
  nextEvent,
  recheckInbound,
} from "../../src/engine/lane/claim.ts";
import { unchanged } from "../../src/engine/lane/transition.ts";
import { aContext, aKnown, aLane, anEventId, anObservation, at } from "../engine/builders.ts";
import { eventOf } from "../engine/schedules/world-facts.ts";
import { mappingOf } from "../engine/schedules/world-state.ts";

const NOW = at(0.5);
const first: Content = { a: "0" };

interface Worker {
  readonly claim: Claim;
  readonly at: "claimed" | "looking" | "sent" | "answered";
  /** The content that it saw or was answered. */
  readonly seen: Content;
  readonly sends: Content;
}

export class FenceWorld {
  record: Content = first;
  resource: Content = first;
  /** The app's last edit; there are no other editors. */
  said: Content = first;
  readonly ended: EventId[] = [];
  #lane: Lane = aLane({
    copy: first,
    base: first,
    clock: { at: at(0), event: anEventId(1) },
    known: aKnown(first, 0),
  });
  #changed = false;
  #nextId = 100;
  readonly #workers = new Map<number, Worker>();
  readonly #holds: typeof holdsClaim;

  constructor(holds: typeof holdsClaim = holdsClaim) {
    this.#holds = holds;
  }

  /** Takes a step; `false` where there is no occasion for it. */
  take(step: string): boolean {
    const edit = /^local edit a=(\d)$/.exec(step)?.[1];
    if (edit !== undefined) return this.#edit(edit);
    const [, number, act = step] = /^worker (\d)(?:'s)? (.*)$/.exec(step) ?? [];
    const key = Number(number);
    switch (act) {
      case "drain":
        return this.#drain();
      case "claims":
        return this.#claim(key);
      case "decides":
        return this.#worker(key, "claimed", (worker) => this.#step(key, worker, false));
      case "commits its look":
        return this.#worker(key, "looking", (worker) => this.#look(key, worker));
      case "patch arrives":
        return this.#arrive(key);
      case "commits its answer":
        return this.#worker(key, "answered", (worker) => this.#answer(key, worker));
      case "a lease runs out":
        return this.#expire();
      case "faults stop":
        return true;
      case "POLL":
        return this.#poll();
      default:
        throw new Error(`no such step: ${step}`);
    }
  }

  /** Works on everything that is left, one worker alone. */
  settle(): void {
    const all = ["decides", "commits its look", "patch arrives", "commits its answer"];
    for (let round = 0; round < 20; round += 1) {
      for (const worker of [0, 1]) for (const act of all) this.take(nameOf(worker, act));
      this.#drain();
      this.#startInbound();
      this.#claim(0);
    }
  }

  get quiet(): boolean {
    return this.#lane.live.length === 0 && this.#workers.size === 0;
  }

  get base(): Content | null {
    return this.#lane.base;
  }

  #context() {
    const newId = () => anEventId(this.#nextId++);
    return aContext({
      mapping: mappingOf({ conflict: "field", fields: ["a"], webhooks: "arrive" }),
      now: NOW,
      newId,
    });
  }

  #save({ lane, ended }: Transition): void {
    this.#lane = lane;
    this.ended.push(...ended.map(({ id }) => id));
  }

  #edit(value: string): boolean {
    this.record = { a: value };
    this.said = this.record;
    this.#changed = true;
    return true;
  }

  #drain(): boolean {
    if (!this.#changed) return false;
    this.#changed = false;
    const change = { action: "upsert", changedAt: { a: NOW }, ours: false, deleted: null } as const;
    this.#save(admitChange(this.#lane, change, this.#context()));
    return true;
  }

  #claim(key: number): boolean {
    const next = nextEvent(this.#lane, NOW);
    if (next?.direction !== "outbound" || this.#workers.has(key)) return false;
    const claimed = claim(this.#lane, next, `w${String(key)}`, NOW, 60_000);
    this.#save(claimed);
    this.#workers.set(key, { claim: claimed.claim, at: "claimed", seen: {}, sends: {} });
    return true;
  }

  /** The event goes back to the queue, due at once: how long a lease is does not matter here. */
  #expire(): boolean {
    const { lane, ended } = expireLeases(this.#lane, at(1_000_000));
    this.#save({ lane: { ...lane, live: lane.live.map((e) => ({ ...e, runAt: NOW })) }, ended });
    return true;
  }

  /** Runs a worker's next transaction, unless it has lost its claim. */
  #worker(key: number, expected: Worker["at"], act: (worker: Worker) => void): boolean {
    const worker = this.#workers.get(key);
    if (worker?.at !== expected) return false;
    if (this.#holds(this.#lane, worker.claim)) act(worker);
    else this.#workers.delete(key);
    return true;
  }

  #step(key: number, worker: Worker, looked: boolean): void {
    const event = eventOf(this.#lane, worker.claim.event);
    const view = { record: this.record, parent: "none", token: "t", looked } as const;
    const step = stepOutbound(unchanged(this.#lane), event, view, this.#context());
    switch (step.kind) {
      case "settled":
        this.#save(step.transition);
        this.#workers.delete(key);
        return;
      case "read":
        // This model writes without the read that comes first: who may write is what it is about.
        this.#step(key, worker, true);
        return;
      case "reread":
        this.#workers.set(key, { ...worker, at: "looking", seen: this.resource });
        return;
      case "request": {
        this.#save(step.transition);
        const sends = "values" in step.request ? step.request.values : {};
        this.#workers.set(key, { ...worker, at: "sent", sends });
        return;
      }
      case "ask_author":
      case "find":
        throw new Error("the resource exists: there is nothing to create or find");
    }
  }

  #look(key: number, worker: Worker): void {
    const { start, event, observed, plan, record } = this.#merged(worker, "reread");
    this.#save(concludeLook(start, event, observed, plan, record, this.#context()));
    this.#step(key, worker, true);
  }

  #answer(key: number, worker: Worker): void {
    const { start, event, observed, plan, record } = this.#merged(worker, "answer");
    this.#save(concludeAnswer(start, event, observed, plan, record, this.#context()));
    this.#workers.delete(key);
  }

  #arrive(key: number): boolean {
    const worker = this.#workers.get(key);
    if (worker?.at !== "sent") return false;
    this.resource = { ...this.resource, ...worker.sends };
    this.#workers.set(key, { ...worker, at: "answered", seen: this.resource });
    return true;
  }

  #merged(worker: Worker, from: "reread" | "answer") {
    const lane = this.#lane;
    const observed = observedState(lane, anObservation(worker.seen, 0), from, this.#context());
    return { ...this.#written(observed), event: eventOf(lane, worker.claim.event) };
  }

  #written(observed: ObservedState) {
    const start = unchanged(this.#lane);
    const before = this.record;
    const plan = planMerge(this.#lane, observed, before, this.#context());
    this.record = { ...before, ...plan.toRecord };
    return { start, observed, plan, record: { before, after: { id: "7", content: this.record } } };
  }

  #poll(): boolean {
    const observation = anObservation(this.resource, 0);
    const arrival = { observation, source: "poll", deliveryId: null, verifiedAt: null } as const;
    this.#save(admit(this.#lane, arrival, this.#context()));
    return this.#startInbound();
  }

  /** One transaction after the other, as nobody else is there by now. */
  #startInbound(): boolean {
    const next = nextEvent(this.#lane, NOW);
    if (next?.direction !== "inbound") return true;
    this.#save(claim(this.#lane, next, "w0", NOW, 60_000));
    const event = eventOf(this.#lane, next.id);
    const recheck = recheckInbound(unchanged(this.#lane), event, NOW);
    if (recheck.verdict === "ended") {
      this.#save(recheck.transition);
      return true;
    }
    const seen = recheck.verdict === "reread" ? this.resource : (event.content ?? {});
    const from = recheck.verdict === "reread" ? "reread" : "payload";
    const observed: ObservedState = { content: seen, copy: seen, at: at(0), from };
    const { start, plan, record } = this.#written(observed);
    this.#save(concludeInbound(start, event, observed, plan, record, this.#context()));
    return true;
  }
}

function nameOf(worker: number, act: string): string {
  return act === "patch arrives"
    ? `worker ${String(worker)}'s ${act}`
    : `worker ${String(worker)} ${act}`;
}

/** Runs a schedule to its end; returns the violation, or `null`, and the steps that had no occasion. */
export function replayFence(
  steps: readonly string[],
  holds: typeof holdsClaim = holdsClaim,
): { readonly violation: string | null; readonly leftOut: readonly string[] } {
  const world = new FenceWorld(holds);
  const leftOut: string[] = [];
  try {
    for (const step of steps) {
      if (!world.take(step)) leftOut.push(step);
      if (world.record.a !== world.said.a)
        return { violation: `${step}: the edit is undone`, leftOut };
    }
    world.settle();
  } catch (thrown) {
    return { violation: `a decision threw: ${String(thrown)}`, leftOut };
  }
  const { record, said, resource, base, ended, quiet } = world;
  if (new Set(ended).size !== ended.length) return { violation: "an event ended twice", leftOut };
  if (!quiet) return { violation: "stuck", leftOut };
  const all = [record.a, said.a, resource.a, base?.a];
  const differ = all.some((value) => value !== said.a);
  return { violation: differ ? `diverged: ${JSON.stringify(all)}` : null, leftOut };
}
