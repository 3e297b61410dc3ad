/** Hooks and their deliveries: signed, sent once and with a delay, resent only on request. */
import { createHmac } from "node:crypto";
import type { Random } from "../../../model/clock.ts";
import { type Instant, MILLISECOND } from "../../../model/instant.ts";
import { drawMillis, strikes, type WebhookFaults } from "../faults/index.ts";
import type { Hook, Receiver } from "./hook.ts";
import {
  type Happening,
  type Id,
  nodeId,
  randomGuid,
  type RepositoryRef,
  type WireJsonObject,
  type World,
  writeJson,
} from "../world/index.ts";
import { describePing } from "./ping.ts";

/** The target of deliveries: over the network by `url`, or in process by `deliver`. */
export interface HookInput {
  readonly url?: string;
  readonly deliver?: Receiver;
  readonly secret: string;
  /** Event names; all events if absent or `*`. */
  readonly events?: readonly string[];
  /** The repository of the hook; if absent, it is the app's hook, which gets all events. */
  readonly repository?: RepositoryRef;
}

/**
 * ```
 * scheduled → sending → delivered | failed
 * held      → sending
 * dropped
 * ```
 */
export type DeliveryState = "scheduled" | "held" | "dropped" | "sending" | "delivered" | "failed";

/** One attempt to deliver; redeliveries share the GUID. Its state changes over time. */
export interface Delivery {
  readonly id: Id;
  readonly guid: string;
  readonly hookId: Id;
  readonly event: string;
  readonly action: string | null;
  readonly repositoryId: Id | null;
  readonly installationId: Id | null;
  readonly issueNumber: number | null;
  readonly redelivery: boolean;
  /** 1 for the first attempt with its GUID. */
  readonly attempt: number;
  readonly createdAt: Instant;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as sent, which the signature covers. */
  readonly body: string;
  state: DeliveryState;
  sentAt: Instant | null;
  durationMs: number;
  /** The receiver's status; 0 before the response, 502 if it was not reached, 504 after a time-out. */
  statusCode: number;
  status: string;
  response: { readonly headers: Readonly<Record<string, string>>; readonly body: string } | null;
}

interface Message {
  readonly hook: Hook;
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly repositoryId: Id | null;
  readonly installationId: Id | null;
  readonly issueNumber: number | null;
  readonly body: string;
}

/** The list is bounded, because the demo's simulator runs for days. */
const KEPT_DELIVERIES = 50_000;

export class Webhooks {
  readonly #world: World;
  readonly #random: Random;
  readonly #faults: WebhookFaults;
  readonly #hooks = new Map<string, Hook>();
  readonly #deliveries = new Map<string, Delivery>();
  readonly #attempts = new Map<string, number>();
  readonly #listeners = new Set<(delivery: Delivery) => void>();
  #scheduled = 0;
  #sending = 0;
  #waiting: { readonly isOver: () => boolean; readonly resolve: () => void }[] = [];

  constructor(world: World, random: Random, faults: WebhookFaults) {
    this.#world = world;
    this.#random = random;
    this.#faults = faults;
    world.onHappening((happening) => {
      this.#notify(happening);
    });
  }

  /** @throws Error when the hook has neither a URL nor a function. */
  addHook(input: HookInput): Hook {
    if (input.url === undefined && input.deliver === undefined) {
      throw new Error("a hook needs a url, or a deliver function");
    }
    const { repository } = input;
    const hook: Hook = {
      id: this.#world.ids.take("hook"),
      url: input.url ?? "http://receiver.example/webhooks",
      deliver: input.deliver ?? null,
      secret: input.secret,
      events: input.events ?? ["*"],
      repositoryId: repository === undefined ? null : this.#world.repository(repository).id,
      createdAt: this.#world.now(),
    };
    this.#hooks.set(String(hook.id), hook);
    return hook;
  }

  removeHook(id: Id): void {
    this.#hooks.delete(String(id));
  }

  hook(id: Id | string): Hook | undefined {
    return this.#hooks.get(String(id));
  }

  hooks(): readonly Hook[] {
    return [...this.#hooks.values()];
  }

  /** All deliveries, oldest first. */
  deliveries(): readonly Delivery[] {
    return [...this.#deliveries.values()];
  }

  delivery(id: Id | string): Delivery | undefined {
    return this.#deliveries.get(String(id));
  }

  /** The number of deliveries that wait for their time, or for the receiver's response. */
  get pending(): number {
    return this.#scheduled + this.#sending;
  }

  /** Resolves when no delivery is pending. */
  idle(): Promise<void> {
    return this.#when(() => this.pending === 0);
  }

  /** Resolves when every delivery that was sent is answered; later ones may still wait for their time. */
  answered(): Promise<void> {
    return this.#when(() => this.#sending === 0);
  }

  onDelivery(listener: (delivery: Delivery) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Sends held deliveries now, all or the given ones, in that order. Resolves when answered. */
  async release(ids?: readonly Id[]): Promise<void> {
    const wanted =
      ids === undefined ? this.deliveries() : ids.map((id) => this.#known(this.delivery(id), id));
    const held = wanted.filter((delivery) => delivery.state === "held");
    await Promise.all(held.map((delivery) => this.#send(delivery)));
  }

  /** Redelivers on request: a new attempt with the same GUID, without any fault. */
  redeliver(id: Id | string): Delivery {
    const first = this.#known(this.delivery(id), id);
    const hook = this.#known(this.hook(first.hookId), first.hookId);
    const again = this.#record({ ...first, hook }, true);
    this.#schedule(again, drawMillis(this.#faults.delayMs, this.#random));
    return again;
  }

  /** Sends the event that GitHub sends for a new hook. */
  ping(id: Id): void {
    const hook = this.#known(this.hook(id), id);
    const repository =
      hook.repositoryId === null ? null : this.#world.repository(hook.repositoryId);
    const body = describePing(this.#world, hook, repository);
    this.#dispatch(this.#address(hook, "ping", null, body, { repositoryId: hook.repositoryId }));
  }

  #notify(happening: Happening): void {
    const { repository } = happening;
    for (const hook of this.#hooks.values()) {
      if (!listens(hook, happening)) continue;
      const installation =
        hook.repositoryId === null && repository !== null
          ? this.#world.installationOf(repository)
          : undefined;
      const payload: WireJsonObject =
        installation === undefined
          ? happening.payload
          : {
              ...happening.payload,
              installation: { id: installation.id, node_id: nodeId("MDIzOk", installation.id) },
            };
      this.#dispatch(
        this.#address(hook, happening.event, happening.action, payload, {
          repositoryId: repository?.id ?? null,
          installationId: installation?.id ?? null,
          issueNumber: happening.issueNumber,
        }),
      );
    }
  }

  #address(
    hook: Hook,
    event: string,
    action: string | null,
    payload: WireJsonObject,
    about: Partial<Pick<Message, "repositoryId" | "installationId" | "issueNumber">>,
  ): Message {
    const guid = randomGuid(this.#random);
    const { repositoryId = null, installationId = null, issueNumber = null } = about;
    const body = writeJson(payload);
    return { hook, guid, event, action, repositoryId, installationId, issueNumber, body };
  }

  #dispatch(message: Message): void {
    const faults = this.#faults;
    const copies = strikes(faults.duplicate, this.#random) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const delivery = this.#record(message, false);
      if (copy === 0 && strikes(faults.drop, this.#random)) {
        this.#move(delivery, "dropped");
        continue;
      }
      const delay = drawMillis(faults.delayMs, this.#random);
      const late = strikes(faults.reorder, this.#random)
        ? drawMillis(faults.reorderByMs, this.#random)
        : 0;
      if (faults.hold) this.#move(delivery, "held");
      else this.#schedule(delivery, delay + late);
    }
  }

  #record(message: Message, redelivery: boolean): Delivery {
    const attempt = (this.#attempts.get(message.guid) ?? 0) + 1;
    this.#attempts.set(message.guid, attempt);
    const delivery: Delivery = {
      id: this.#world.ids.take("delivery"),
      guid: message.guid,
      hookId: message.hook.id,
      event: message.event,
      action: message.action,
      repositoryId: message.repositoryId,
      installationId: message.installationId,
      issueNumber: message.issueNumber,
      redelivery,
      attempt,
      createdAt: this.#world.clock.now(),
      headers: this.#headers(message),
      body: message.body,
      state: "scheduled",
      sentAt: null,
      durationMs: 0,
      statusCode: 0,
      status: "pending",
      response: null,
    };
    this.#deliveries.set(String(delivery.id), delivery);
    this.#forgetOldest();
    return delivery;
  }

  #forgetOldest(): void {
    if (this.#deliveries.size <= KEPT_DELIVERIES) return;
    for (const [id, delivery] of this.#deliveries) {
      this.#deliveries.delete(id);
      this.#attempts.delete(delivery.guid);
      return;
    }
  }

  #headers(message: Message): Record<string, string> {
    const { hook, guid, event, body } = message;
    const target =
      hook.repositoryId === null
        ? { type: "integration", id: this.#world.app.id }
        : { type: "repository", id: hook.repositoryId };
    return {
      accept: "*/*",
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/simulator",
      "x-github-delivery": guid,
      "x-github-event": event,
      "x-github-hook-id": String(hook.id),
      "x-github-hook-installation-target-id": String(target.id),
      "x-github-hook-installation-target-type": target.type,
      "x-hub-signature": `sha1=${createHmac("sha1", hook.secret).update(body).digest("hex")}`,
      "x-hub-signature-256": `sha256=${createHmac("sha256", hook.secret).update(body).digest("hex")}`,
    };
  }

  #schedule(delivery: Delivery, delayMs: number): void {
    this.#scheduled += 1;
    this.#move(delivery, "scheduled");
    this.#world.clock.setTimer(delayMs, () => {
      this.#scheduled -= 1;
      void this.#send(delivery);
    });
  }

  async #send(delivery: Delivery): Promise<void> {
    this.#sending += 1;
    delivery.sentAt = this.#world.clock.now();
    this.#move(delivery, "sending");
    const outcome = await this.#post(delivery);
    delivery.durationMs = (this.#world.clock.now() - delivery.sentAt) / MILLISECOND;
    delivery.statusCode = outcome.statusCode;
    delivery.status = outcome.status;
    delivery.response = outcome.response;
    const accepted = outcome.statusCode >= 200 && outcome.statusCode < 300;
    this.#move(delivery, accepted ? "delivered" : "failed");
    this.#sending -= 1;
    const over = this.#waiting.filter(({ isOver }) => isOver());
    this.#waiting = this.#waiting.filter((entry) => !over.includes(entry));
    for (const { resolve } of over) resolve();
  }

  #when(isOver: () => boolean): Promise<void> {
    if (isOver()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ isOver, resolve }));
  }

  /** Never rejects: a failure of the receiver is an outcome. */
  async #post(delivery: Delivery): Promise<Pick<Delivery, "statusCode" | "status" | "response">> {
    const hook = this.hook(delivery.hookId);
    if (hook === undefined) return { statusCode: 0, status: "hook removed", response: null };
    const timeout = new AbortController();
    const cancel = this.#world.clock.setTimer(this.#faults.timeoutMs, () => {
      timeout.abort();
    });
    try {
      const request = new Request(hook.url, {
        method: "POST",
        headers: delivery.headers,
        body: delivery.body,
      });
      const answered = Promise.resolve(
        hook.deliver?.(request, delivery.body) ?? fetch(request, { signal: timeout.signal }),
      );
      const response = await Promise.race([answered, whenAborted(timeout.signal)]);
      const headers = Object.fromEntries(response.headers);
      const body = await response.text();
      const status = response.ok ? "OK" : `Invalid HTTP Response: ${String(response.status)}`;
      return { statusCode: response.status, status, response: { headers, body } };
    } catch {
      return timeout.signal.aborted
        ? { statusCode: 504, status: "timed out", response: null }
        : { statusCode: 502, status: "failed to connect to host", response: null };
    } finally {
      cancel();
    }
  }

  #move(delivery: Delivery, state: DeliveryState): void {
    delivery.state = state;
    for (const listener of this.#listeners) listener(delivery);
  }

  #known<T>(found: T | undefined, id: Id | string): T {
    if (found === undefined) throw new Error(`no delivery or hook ${String(id)} in the simulator`);
    return found;
  }
}

function listens(hook: Hook, happening: Happening): boolean {
  if (!hook.events.includes("*") && !hook.events.includes(happening.event)) return false;
  return hook.repositoryId === null || hook.repositoryId === happening.repository?.id;
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      reject(new Error("the receiver took too long"));
    });
  });
}
