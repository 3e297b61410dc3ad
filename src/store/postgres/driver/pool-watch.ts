/**
 * One watch per pool, however many Tandems share it: Node warns of the eleventh listener on one emitter.
 *
 * The driver reports a pool in use and a host that is gone alike, so connections in use are counted here.
 * If one connection falls silent, those opened before it are not used again: the same cause has silenced
 * them, and each would be found out only by a statement of its own.
 */
import type pg from "pg";
import { NoConnectionError, sqlState } from "../../database/index.ts";
import { hangUp } from "./pg-silence.ts";

export interface PoolWatch {
  /** Takes a connection. Throws `NoConnectionError` where the driver says nothing more of it. */
  readonly take: () => Promise<pg.PoolClient>;
  /** Uses no connection again that is open now. */
  readonly distrust: () => void;
}

const watches = new WeakMap<pg.Pool, SharedWatch>();

/** Watches a pool until `release`; the last of several to release it removes the listeners. */
export function watchPool(pool: pg.Pool): PoolWatch & { readonly release: () => void } {
  const watch = watches.get(pool) ?? new SharedWatch(pool);
  watches.set(pool, watch);
  watch.begin();
  let isReleased = false;
  return {
    take: () => watch.take(),
    distrust: () => {
      watch.distrust();
    },
    release() {
      if (!isReleased) watch.end();
      isReleased = true;
    },
  };
}

class SharedWatch implements PoolWatch {
  readonly #pool: pg.Pool;
  readonly #inUse = new Set<pg.PoolClient>();
  /** Each connection that has our listener, and the trust it was opened under. */
  readonly #known = new WeakMap<pg.PoolClient, number>();
  #trusted = 0;
  #users = 0;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  begin(): void {
    this.#users += 1;
    if (this.#users > 1) return;
    // A lost idle connection is not a crash: the pool opens another. An app may not listen to its own.
    this.#pool.on("error", ignoreLoss);
    this.#pool.on("acquire", this.#acquired);
    this.#pool.on("release", this.#released);
  }

  end(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#pool.off("error", ignoreLoss);
    this.#pool.off("acquire", this.#acquired);
    this.#pool.off("release", this.#released);
    this.#inUse.clear();
  }

  distrust(): void {
    this.#trusted += 1;
  }

  async take(): Promise<pg.PoolClient> {
    try {
      for (;;) {
        const client = await this.#pool.connect();
        if ((this.#known.get(client) ?? this.#trusted) === this.#trusted) return client;
        client.release(true);
        hangUp(client);
      }
    } catch (error) {
      if (sqlState(error) !== null) throw error;
      const isFull = this.#inUse.size >= this.#pool.options.max;
      throw new NoConnectionError(isFull ? "busy" : "unreachable", error);
    }
  }

  readonly #acquired = (client: pg.PoolClient) => {
    this.#inUse.add(client);
    if (this.#known.has(client)) return;
    // Between the pool's listener and ours there is a moment: an error then would end the process.
    client.on("error", ignoreLoss);
    this.#known.set(client, this.#trusted);
  };

  readonly #released = (_error: Error, client: pg.PoolClient) => {
    this.#inUse.delete(client);
  };
}

/** A lost connection fails the statements that use it. */
function ignoreLoss(): void {
  // Without a listener Node ends the process.
}
