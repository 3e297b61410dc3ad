/**
 * The last heartbeat whose commit this host has seen, kept outside the database: in the process and, if a file is
 * given, from one process to the next. A database without that heartbeat was set back. An older heartbeat, after a
 * crash or beside another process, does no harm.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { Beat } from "../../engine/limits/index.ts";
import { formatInstant, parseInstant } from "../../model/instant.ts";
import type { Log } from "../services/index.ts";
import { describeError } from "../failures/index.ts";

export interface HeartbeatStore {
  /** @param place The identity of the database's server; `null`: not known. */
  recall(place: string | null): Promise<Beat | null>;
  keep(place: string | null, beat: Beat): Promise<void>;
  /** A name for a host that has none yet. */
  newHost(): string;
}

export function beatsInProcess(): HeartbeatStore {
  const known = new Map<string | null, Beat>();
  return {
    recall: (place) => Promise.resolve(known.get(place) ?? null),
    keep: (place, beat) => {
      known.set(place, beat);
      return Promise.resolve();
    },
    newHost: randomUUID,
  };
}

/** Heartbeats by the server's identity, because a host may work on several databases. */
const content = z.record(z.string(), z.object({ host: z.uuid(), at: z.string() }));

/**
 * Keeps heartbeats in a file. If the file cannot be read or written, only the process remembers them. The same holds
 * for a server without identity: the next process may use another database, which never had the heartbeat.
 */
export function beatsInFile(path: string, log: Log): HeartbeatStore {
  const here = beatsInProcess();
  let isTold = false;

  async function read(): Promise<z.infer<typeof content>> {
    try {
      return content.parse(JSON.parse(await readFile(path, "utf8")));
    } catch {
      return {};
    }
  }

  async function write(all: z.infer<typeof content>): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    // A rename is atomic, so that no other process reads a half-written file.
    const next = `${path}.${randomUUID()}`;
    await writeFile(next, JSON.stringify(all), { flag: "wx", mode: 0o600 });
    await rename(next, path);
  }

  return {
    async recall(place) {
      const known = await here.recall(place);
      if (place === null) return known;
      const kept = (await read())[place];
      if (kept === undefined) return known;
      const told = { host: kept.host, at: parseInstant(kept.at) };
      // Another process may have seen a later heartbeat, which proves more.
      return known === null || known.at < told.at ? told : known;
    },
    async keep(place, beat) {
      await here.keep(place, beat);
      if (place === null) return;
      try {
        await write({
          ...(await read()),
          [place]: { host: beat.host, at: formatInstant(beat.at) },
        });
      } catch (thrown) {
        if (!isTold) {
          log.info(
            { file: path, ...describeError(thrown) },
            "a process started later will not notice a database that was set back meanwhile",
          );
        }
        isTold = true;
      }
    },
    newHost: () => here.newHost(),
  };
}
