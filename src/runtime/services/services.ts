/** What every loop of the runtime works with; composed once, in `compose.ts`. */
import type { Integration } from "../../integrations/integration.ts";
import type { Random } from "../../model/clock.ts";
import type { Store, Work } from "../../store/store.ts";
import type { AuthorTokens } from "./author-writer.ts";
import type { PatchAnswer, WaitingEdit } from "./claimed.ts";
import type { Failpoints } from "./failpoints.ts";
import type { Gateway } from "./api-clients.ts";
import type { MicroBatcher } from "./micro-batch.ts";
import type { AuthorHooks } from "./hooks.ts";
import type { Log } from "./log.ts";
import type { Rules } from "./rules.ts";

/** The guard before everything that posts. */
export interface InstanceGuard {
  /** Why nothing may be posted, or `null`: then this process is at work, which the database is told. */
  foreign(): Promise<string | null>;
  /** The same as far as the database says it; nothing is written. */
  told(): Promise<string | null>;
  /** Makes the database this instance's own. */
  adopt(): Promise<void>;
}

export interface Services extends Rules {
  readonly store: Store;
  readonly integrations: ReadonlyMap<string, Integration>;
  readonly authors: AuthorHooks;
  readonly authorTokens: AuthorTokens;
  /** What answered edits, to be taken in together. */
  readonly answers: MicroBatcher<PatchAnswer>;
  /** Edits that have read what they would overwrite, to be begun together. */
  readonly reads: MicroBatcher<WaitingEdit>;
  readonly gateway: Gateway;
  /** Where tests let a worker die; else nothing happens there. */
  readonly failpoints: Failpoints;
  readonly random: Random;
  readonly log: Log;
  /** How often providers' logs are looked at for webhooks that failed; `null`: never. */
  readonly redeliverMillis: number | null;
  readonly instance: InstanceGuard;
}

/** A token nobody can guess, made of the services' own randomness. */
export function randomToken(random: Random): string {
  return Array.from({ length: 22 }, () => Math.floor(random() * 36).toString(36)).join("");
}

/** What a worker may be told of: what other processes tell, or writes that were captured. */
export type WorkerWork = Work | "changes";
