/**
 * A queue that Tandem is compared with. It lives in a process of its own (`main.ts`), on the Node that
 * the newest versions need; what it imports is in this folder's `package.json` and may not be installed,
 * so each peer describes the few functions of its library that it calls.
 */

/** A webhook as the peers are given it: parsed, as Tandem's receiver would have it. */
export interface Job {
  /** The delivery's own id, a UUID; later deliveries have greater ones. */
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
  /** What the app does with a job: one upsert of its row. */
  readonly handle: (job: Job) => Promise<void>;
}

export interface Peer {
  /**
   * Once for a database, before its processes open it.
   *
   * @param analyze has Postgres look at what is in the tables now
   */
  readonly prepare: (url: string, analyze: () => Promise<void>) => Promise<void>;
  readonly open: (ground: Ground) => Promise<OpenedPeer>;
}

export interface OpenedPeer {
  /** Hands a batch over, in its order; durable when it returns. */
  enqueue(jobs: readonly Job[]): Promise<void>;
  close(): Promise<void>;
}

/** What is to be kept in order. */
export function keyOf({ payload }: Job): string {
  return String(payload.issue.number);
}

/** Jobs that a process of each peer works on at once. */
export const CONCURRENCY = 16;
/** Connections that a peer's own statements have in each process, beside those of the app's upserts. */
export const CONNECTIONS = 10;

/** Loads a library of this folder's `package.json`, as what its peer says it is. */
export async function load<Library>(name: string): Promise<Library> {
  return (await import(name)) as Library;
}
