/** The life of one request: it arrives, meets a fault or not, takes effect or not, is answered or not. */
import type { Clock, Random } from "../../model/clock.ts";
import {
  type ApiResponse,
  callerLogin,
  type IncomingRequest,
  isWrite,
  type SimulatedApi,
} from "./api/index.ts";
import {
  type ApiFaults,
  drawFate,
  drawMillis,
  Hold,
  matchesRequest,
  type NetworkFault,
  type RequestEntry,
  type RequestFate,
  type RequestLog,
  scriptedFate,
  type ScriptedFault,
} from "./faults/index.ts";
import type { World } from "./world/index.ts";

/** The result as the caller sees it. */
export type Outcome =
  | { readonly kind: "answered"; readonly response: ApiResponse }
  | { readonly kind: "failed"; readonly fault: NetworkFault };

/** Selects the request that a hold catches. */
export interface RequestMatch {
  readonly method?: string;
  readonly path?: string | RegExp;
}

export class Exchange {
  readonly #world: World;
  readonly #clock: Clock;
  readonly #api: SimulatedApi;
  readonly #log: RequestLog;
  readonly #faults: ApiFaults;
  readonly #random: Random;
  readonly #script: { fault: ScriptedFault; times: number }[] = [];
  readonly #holds: { match: RequestMatch; hold: Hold }[] = [];

  constructor(parts: {
    readonly world: World;
    readonly api: SimulatedApi;
    readonly log: RequestLog;
    readonly faults: ApiFaults;
    readonly random: Random;
  }) {
    this.#world = parts.world;
    this.#clock = parts.world.clock;
    this.#api = parts.api;
    this.#log = parts.log;
    this.#faults = parts.faults;
    this.#random = parts.random;
  }

  failNext(fault: ScriptedFault, times: number): void {
    this.#script.push({ fault, times });
  }

  holdNext(match: RequestMatch): Hold {
    const hold = new Hold();
    this.#holds.push({ match, hold });
    return hold;
  }

  /** Removes scripted faults and holds that no request has met. */
  clearScript(): void {
    this.#script.length = 0;
    this.#holds.length = 0;
  }

  /** Never rejects for a fault: a failure that the caller sees is an outcome too. */
  async run(request: IncomingRequest): Promise<Outcome> {
    const { method, path, body } = request;
    const query = request.query.size === 0 ? "" : `?${request.query.toString()}`;
    const entry = this.#log.add({ at: this.#clock.now(), method, path, query, body });
    const caller = this.#api.identify(request);
    entry.login = caller === null ? null : callerLogin(caller, this.#world.app);
    const hold = this.#takeHold(request);
    const outcome =
      hold === undefined
        ? await this.#meet(request, entry, this.#takeFate(request))
        : await this.#wait(request, entry, hold);
    entry.answeredAt = this.#clock.now();
    if (outcome.kind === "answered") entry.status = outcome.response.status;
    else entry.failure = outcome.fault;
    this.#log.answered(entry);
    return outcome;
  }

  async #meet(request: IncomingRequest, entry: RequestEntry, fate: RequestFate): Promise<Outcome> {
    if (fate.kind === "network" && fate.fault === "refused") {
      return { kind: "failed", fault: fate.fault };
    }
    const latency = drawMillis(this.#faults.latencyMs, this.#random);
    await this.#sleep(latency / 2);
    const outcome = this.#decide(request, entry, fate);
    await this.#sleep(latency / 2);
    return outcome;
  }

  #decide(request: IncomingRequest, entry: RequestEntry, fate: RequestFate): Outcome {
    switch (fate.kind) {
      case "serve":
        return answered(this.#apply(request, entry, fate));
      case "network":
        if (fate.applied) this.#apply(request, entry);
        return { kind: "failed", fault: fate.fault };
      case "answer":
        if (fate.applied) this.#apply(request, entry);
        return answered(this.#api.fail(request, fate.status));
      case "custom":
        if (fate.applied) this.#apply(request, entry);
        return answered({ status: fate.status, headers: fate.headers, body: fate.body });
      case "rate-limit":
        return answered(this.#api.exhaust(request));
      case "secondary-limit":
        return answered(this.#api.limitSecondary(request, fate.retryAfterSeconds, fate.status));
    }
  }

  #wait(request: IncomingRequest, entry: RequestEntry, hold: Hold): Promise<Outcome> {
    return new Promise((resolve) => {
      let response: ApiResponse | null = null;
      const apply = (): ApiResponse => (response ??= this.#apply(request, entry));
      hold.catch({
        entry,
        apply,
        answer: () => {
          resolve(answered(apply()));
        },
        fail: (fault) => {
          resolve({ kind: "failed", fault });
        },
      });
    });
  }

  #apply(
    request: IncomingRequest,
    entry: RequestEntry,
    conditions: { lagMs: number; lists: ApiFaults["lists"] } = { lagMs: 0, lists: "whole" },
  ): ApiResponse {
    const response = this.#api.handle(request, conditions);
    entry.applied = isWrite(request) && response.status < 300;
    return response;
  }

  #takeFate(request: IncomingRequest): RequestFate {
    const index = this.#script.findIndex(({ fault }) => matchesRequest(fault, request));
    const scripted = this.#script[index];
    if (scripted === undefined) return drawFate(this.#faults, this.#random, !isWrite(request));
    scripted.times -= 1;
    if (scripted.times <= 0) this.#script.splice(index, 1);
    return scriptedFate(scripted.fault);
  }

  #takeHold(request: IncomingRequest): Hold | undefined {
    const index = this.#holds.findIndex(({ match }) => matchesRequest(match, request));
    return index < 0 ? undefined : this.#holds.splice(index, 1)[0]?.hold;
  }

  #sleep(millis: number): Promise<void> {
    if (millis <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#clock.setTimer(millis, resolve);
    });
  }
}

function answered(response: ApiResponse): Outcome {
  return { kind: "answered", response };
}
