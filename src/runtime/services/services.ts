/** The services of every loop of the runtime; composed once, in `compose.ts`. */
import type { Integration } from "../../integrations/integration.ts";
import type { Random } from "../../model/clock.ts";
import type { Store, Work } from "../../store/store.ts";
import type { AuthorTokens } from "./author-writer.ts";
import type { PatchAnswer, WaitingEdit } from "./claimed.ts";
import type { Failpoints } from "./failpoints.ts";
import type { ApiClients } from "./api-clients.ts";
import type { MicroBatcher } from "./micro-batch.ts";
import type { AuthorHooks, Rules } from "../settings/index.ts";
import type { Log } from "./log.ts";

/** The guard before everything that posts. */
export interface InstanceGuard {
  /** Why nothing may be posted; `null` if this process may, which also writes its heartbeat. */
  checkIdentity(): Promise<string | null>;
  /** The stored reason why nothing may be posted; writes nothing. */
  storedRefusal(): Promise<string | null>;
  /** Makes the database this instance's own. */
  adopt(): Promise<void>;
}

export interface Services extends Rules {
  readonly store: Store;
  readonly integrations: ReadonlyMap<string, Integration>;
  readonly authors: AuthorHooks;
  readonly authorTokens: AuthorTokens;
  /** Batches of answers to edits. */
  readonly answers: MicroBatcher<PatchAnswer>;
  /** Batches of edits that have read what they would overwrite. */
  readonly reads: MicroBatcher<WaitingEdit>;
  readonly gateway: ApiClients;
  /** The places where tests end a worker; in production they do nothing. */
  readonly failpoints: Failpoints;
  readonly random: Random;
  readonly log: Log;
  /** How often providers' logs are read for webhooks that failed; `null`: never. */
  readonly redeliverMillis: number | null;
  readonly instance: InstanceGuard;
}

/** A token that cannot be guessed, made of the services' source of randomness. */
export function randomToken(random: Random): string {
  return Array.from({ length: 22 }, () => Math.floor(random() * 36).toString(36)).join("");
}

/** The kinds of work of which a worker is notified. `changes`: writes were captured. */
export type WorkerWork = Work | "changes";
