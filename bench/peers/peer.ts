/**
 * A queue that is compared with Tandem. It runs in its own process (`main.ts`), on the Node version that the
 * newest versions need. Its libraries are in this folder's `package.json` and may not be installed, so each
 * peer declares the few functions that it calls.
 */

/** A webhook as the peers get it: parsed, as by Tandem's receiver. */
export interface Job {
  /** The delivery's id, a UUID; later deliveries have greater ones. */
  readonly delivery: string;
  readonly payload: {
    readonly issue: {
      readonly number: number;
      readonly title: string;
      readonly body: string;
      readonly state: "open" | "closed";
      readonly updated_at: string;
    };
  };
}

export interface Ground {
  /** The database of the queue and of the app. */
  readonly url: string;
  readonly redisPort: number;
  readonly process: number;
  /** The app's work for a job: one upsert of its row. */
  readonly handle: (job: Job) => Promise<void>;
}

export interface Peer {
  /**
   * Runs once for a database, before the processes open it.
   *
   * @param analyze Updates Postgres' statistics of the present tables.
   */
  readonly prepare: (url: string, analyze: () => Promise<void>) => Promise<void>;
  readonly open: (ground: Ground) => Promise<OpenedPeer>;
}

export interface OpenedPeer {
  /** Enqueues a batch in its order; durable when it returns. */
  enqueue(jobs: readonly Job[]): Promise<void>;
  close(): Promise<void>;
}

/** The key within which order must be kept. */
export function keyOf({ payload }: Job): string {
  return String(payload.issue.number);
}

/** The parallel jobs of a process of each peer. */
export const CONCURRENCY = 16;
/** Connections for a peer's own statements in each process, besides those of the app's upserts. */
export const CONNECTIONS = 10;

/** Loads a library of this folder's `package.json`, with the type that its peer declares. */
export async function load<Library>(name: string): Promise<Library> {
  return (await import(name)) as Library;
}
