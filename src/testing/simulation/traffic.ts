/**
 * The network between workers and GitHub, and the only place where a simulated worker can be caught.
 *
 * 1. One task runs at a time: until it ends, or asks the network for something.
 * 2. There it stands still twice, before its request takes effect and before it hears the answer,
 *    until the history lets it go on. Meanwhile others run, time passes, people edit.
 * 3. A worker that is killed leaves its requests on the way: each lands late, or never.
 *
 * So several requests are under way at once and their answers come in any order, and yet the same
 * seed tells the same story.
 */
import type { Fetch } from "./history.ts";
import type { HeardOf } from "./remote-edits.ts";
import type { Saying } from "./sayings.ts";

/** A piece of a worker's work: one claimed event, a poll, a sweep. */
export interface WorkItem {
  readonly name: string;
  readonly worker: string;
  /** What it asks the network, where it stands still. */
  readonly asks: string;
  readonly at: "departing" | "returning" | null;
}

interface Running {
  readonly name: string;
  readonly worker: string;
  /** Whether what its lists show is admitted, as a poll's is. */
  readonly admits: boolean;
  asks: string;
  at: WorkItem["at"];
  /** What its writes said, and what it heard: lost with it, should it die before it writes it down. */
  readonly bodies: string[];
  readonly heard: Saying[];
  /** When the answers that it heard were produced, by what they showed. */
  readonly heardOf: HeardOf;
  /** Lets it go on from where it stands. */
  go: () => void;
  /** Told when it stands still or ends. */
  stopped: () => void;
}

/** Who is told what Tandem hears, and what it misses. */
export interface TrafficListener {
  /** An answer that somebody still waited for; `asks`: what was asked. */
  heard(text: string, isList: boolean, answer: Response, by?: HeardOf, asks?: string): Saying;
  /** A request reaches GitHub; `null`: of nobody's work in particular. */
  takesEffect(sender: HeardOf | null): void;
  /** The body of a request whose answer never came to anybody, whatever became of it. */
  missed(body: string): void;
}

export class Traffic {
  readonly #network: Fetch;
  readonly #listener: TrafficListener;
  readonly #parked: Running[] = [];
  /** Writes of workers that are dead or have given up: they may still land. */
  readonly #strays: { readonly asks: string; readonly send: () => Promise<unknown> }[] = [];
  #running: Running | null = null;
  #polls = false;

  constructor(network: Fetch, listener: TrafficListener) {
    this.#network = network;
    this.#listener = listener;
  }

  /** Tasks that stand still at the network. */
  get parked(): readonly WorkItem[] {
    return this.#parked;
  }

  get strays(): number {
    return this.#strays.length;
  }

  /** Starts a piece of work and comes back when it stands still or has ended. */
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

  /** Lets a task go on until it stands still again or ends. */
  async resume(task: WorkItem): Promise<void> {
    const index = this.#parked.findIndex((candidate) => candidate === task);
    const [parked] = index < 0 ? [] : this.#parked.splice(index, 1);
    if (parked === undefined) throw new Error(`${task.name} is not at the network`);
    await this.#run(parked, () => {
      parked.go();
    });
  }

  /** A request whose sender is gone takes effect; says which. */
  async land(index: number): Promise<string> {
    const [stray] = this.#strays.splice(index, 1);
    if (stray === undefined) return "";
    await stray.send().catch(() => undefined);
    return stray.asks;
  }

  /** Requests on their way get lost for good. */
  forgetStrays(): void {
    this.#strays.length = 0;
  }

  /** The way out that Tandem is given. Who asks outside of any task is answered at once. */
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
    // Whose a token is, is asked once, and others wait for the same answer: who stood still before
    // it would hold them up.
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
    // Who looks for its own lost create among others' things takes no notice of what they say.
    if (isList(asks) && !task.admits) return answer.response;
    task.bodies.push(body);
    const { response } = answer;
    const text = await response.clone().text();
    task.heard.push(this.#listener.heard(text, isList(asks), response, task.heardOf, asks));
    return response;
  };

  /** Polls or sweeps outside of any task: what its lists show is admitted. */
  async polling(work: () => Promise<void>): Promise<void> {
    this.#polls = true;
    await work();
    this.#polls = false;
  }

  /** The task that runs dies where it is: of what it has heard nothing is known to anybody. */
  dieRunning(): void {
    const task = this.#running;
    if (task === null) return;
    for (const saying of task.heard) saying.unsaid = true;
    this.#missAll(task);
  }

  /** A change of sets takes several requests: their answers are written down together, or not at all. */
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

/** Asked anew each time: whoever stands still may be killed meanwhile. */
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
