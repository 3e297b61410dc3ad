/**
 * The network between workers and GitHub, and the only place where a simulated worker can be stopped.
 *
 * 1. One task runs at a time, until it ends or makes a request.
 * 2. A request stops its task twice: before it takes effect, and before its response is received. Each time the
 *    task waits until the history resumes it. Meanwhile other tasks run, time passes, and people edit.
 * 3. The pending requests of a killed worker land late, or never.
 *
 * So several requests can be pending and their responses can come in any order, but the same seed still gives
 * the same history.
 */
import type { Fetch } from "./history.ts";
import type { HeardOf } from "./remote-edits.ts";
import type { Saying } from "./sayings.ts";

/** A piece of a worker's work: one claimed event, a poll, or a sweep. */
export interface WorkItem {
  readonly name: string;
  readonly worker: string;
  /** The request at which it has stopped. */
  readonly asks: string;
  readonly at: "departing" | "returning" | null;
}

interface Running {
  readonly name: string;
  readonly worker: string;
  /** Whether the content of its lists is admitted, as a poll's is. */
  readonly admits: boolean;
  asks: string;
  at: WorkItem["at"];
  /** The bodies of its writes, and the texts that it received. A death before the next commit loses both. */
  readonly bodies: string[];
  readonly heard: Saying[];
  /** When its received responses were produced, by the things that they showed. */
  readonly heardOf: HeardOf;
  /** Resumes the task. */
  go: () => void;
  /** Called when the task stops at the network or ends. */
  stopped: () => void;
}

/** Observes the texts that Tandem receives, and the writes whose response it misses. */
export interface TrafficListener {
  /** A response that its task received; `asks`: the request. */
  heard(text: string, isList: boolean, answer: Response, by?: HeardOf, asks?: string): Saying;
  /** A request reaches GitHub; `null`: it belongs to no task. */
  takesEffect(sender: HeardOf | null): void;
  /** The body of a request whose response was never received, whether or not it took effect. */
  missed(body: string): void;
}

export class Traffic {
  readonly #network: Fetch;
  readonly #listener: TrafficListener;
  readonly #parked: Running[] = [];
  /** Writes of workers that died or were aborted: they may still land. */
  readonly #strays: { readonly asks: string; readonly send: () => Promise<unknown> }[] = [];
  #running: Running | null = null;
  #polls = false;

  constructor(network: Fetch, listener: TrafficListener) {
    this.#network = network;
    this.#listener = listener;
  }

  /** Tasks that have stopped at the network. */
  get parked(): readonly WorkItem[] {
    return this.#parked;
  }

  get strays(): number {
    return this.#strays.length;
  }

  /** Starts a piece of work; resolves when it stops at the network or has ended. */
  async start(
    { name, worker, admits }: Pick<Running, "name" | "worker" | "admits">,
    work: () => Promise<void>,
  ): Promise<void> {
    const task: Running = {
      name,
      worker,
      admits,
      asks: "",
      at: null,
      bodies: [],
      heard: [],
      heardOf: new Map(),
      go: () => undefined,
      stopped: () => undefined,
    };
    await this.#run(task, () => {
      void work().finally(() => {
        task.stopped();
      });
    });
  }

  /** Resumes a task until it stops again or ends. */
  async resume(task: WorkItem): Promise<void> {
    const index = this.#parked.findIndex((candidate) => candidate === task);
    const [parked] = index < 0 ? [] : this.#parked.splice(index, 1);
    if (parked === undefined) throw new Error(`${task.name} is not at the network`);
    await this.#run(parked, () => {
      parked.go();
    });
  }

  /** A request of a dead sender takes effect; returns which one. */
  async land(index: number): Promise<string> {
    const [stray] = this.#strays.splice(index, 1);
    if (stray === undefined) return "";
    await stray.send().catch(() => undefined);
    return stray.asks;
  }

  /** Drops the pending requests of dead senders. */
  forgetStrays(): void {
    this.#strays.length = 0;
  }

  /** Tandem's `fetch`. A request outside of any task is answered without a stop. */
  readonly fetch: Fetch = async (input, init) => {
    const task = this.#running;
    if (task === null) {
      this.#listener.takesEffect(null);
      const response = await this.#network(input, init);
      const isListed = isList(asksOf(input, init));
      if (isListed && !this.#polls) return response;
      this.#listener.heard(await response.clone().text(), isListed, response);
      return response;
    }
    const { signal, ...request } = init ?? {};
    const asks = asksOf(input, init);
    // Callers share one request for the identity of a token: if the first caller stopped here, the others
    // could not continue.
    if (asks === "GET /user") return this.#network(input, request);
    await this.#stand(task, "departing", asks);
    const body = typeof request.body === "string" ? request.body : "";
    if (isAborted(signal)) {
      this.#missAll(task, body);
      const send = () => {
        this.#listener.takesEffect(task.heardOf);
        return this.#network(input, request);
      };
      if (!asks.startsWith("GET ")) this.#strays.push({ asks, send });
      signal?.throwIfAborted();
    }
    this.#listener.takesEffect(task.heardOf);
    const answer = await this.#network(input, request).then(
      (response) => ({ response }),
      (error: unknown) => ({ error }),
    );
    await this.#stand(task, "returning", asks);
    if (isAborted(signal)) this.#missAll(task, body);
    signal?.throwIfAborted();
    const isHeard = "response" in answer && answer.response.status < 500;
    if (!isHeard) this.#listener.missed(body);
    if ("error" in answer) throw answer.error;
    // A task that looks for its own lost create in a list uses no other item of the list.
    if (isList(asks) && !task.admits) return answer.response;
    task.bodies.push(body);
    const { response } = answer;
    const text = await response.clone().text();
    task.heard.push(this.#listener.heard(text, isList(asks), response, task.heardOf, asks));
    return response;
  };

  /** Polls or sweeps outside of any task; the content of their lists is admitted. */
  async polling(work: () => Promise<void>): Promise<void> {
    this.#polls = true;
    await work();
    this.#polls = false;
  }

  /** The running task dies: all texts that it received and did not store are lost. */
  dieRunning(): void {
    const task = this.#running;
    if (task === null) return;
    for (const saying of task.heard) saying.unsaid = true;
    this.#missAll(task);
  }

  /** A change of sets needs several requests, whose responses are stored in one commit or not at all. */
  #missAll({ bodies }: Running, ...last: readonly string[]): void {
    for (const body of [...bodies, ...last]) this.#listener.missed(body);
  }

  async #run(task: Running, begin: () => void): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      task.stopped = resolve;
    });
    this.#running = task;
    begin();
    await stopped;
    this.#running = null;
  }

  #stand(task: Running, at: "departing" | "returning", asks: string): Promise<void> {
    return new Promise((resolve) => {
      Object.assign(task, { at, asks, go: resolve });
      this.#parked.push(task);
      task.stopped();
    });
  }
}

/** Read again after each stop: the task may have been killed meanwhile. */
function isAborted(signal: AbortSignal | null | undefined): boolean {
  return signal?.aborted === true;
}

function isList(asks: string): boolean {
  return /^GET .*\/(issues|comments)$/.test(asks);
}

function asksOf(input: Parameters<Fetch>[0], init: RequestInit | undefined): string {
  const { pathname } = new URL(addressOf(input));
  return `${init?.method ?? "GET"} ${decodeURIComponent(pathname)}`;
}

function addressOf(input: Parameters<Fetch>[0]): string {
  if (typeof input === "string") return input;
  return input instanceof URL ? input.href : input.url;
}
