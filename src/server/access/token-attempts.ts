/**
 * Limits the tries of wrong API tokens, per peer address and in total, for the login and the header.
 *
 * Its memory is constant: addresses share a fixed number of buckets, by a hash that clients cannot predict.
 * Each process counts for itself.
 */
import { createHash, randomBytes } from "node:crypto";
import { type Allowance, takeTry, waitForTry } from "../../engine/limits/index.ts";
import type { Clock } from "../../model/clock.ts";
import { type Instant, instantFromMicros } from "../../model/instant.ts";
import { networkOf } from "./caller.ts";

/** Enough for a person who mistypes, and for scripts with an old token. */
const PER_PEER: Allowance = { tries: 10, everyMillis: 30_000 };
const IN_ALL: Allowance = { tries: 100, everyMillis: 1_000 };
/** Failures with an audit row each; beyond that, the next row counts those in between. */
const AUDITED: Allowance = { tries: 10, everyMillis: 600_000 };

const BUCKETS = 4_096;

export interface TokenAttempts {
  /** Milliseconds until this peer may try; 0: now. */
  wait(peer: string | null): number;
  /** Counts a failure. Returns the number of failures for the next audit row; `null`: no row now. */
  fail(peer: string | null): number | null;
}

export function createTokenAttempts(clock: Clock): TokenAttempts {
  const salt = randomBytes(16);
  const perPeer = new Float64Array(BUCKETS);
  let inAll: Instant = instantFromMicros(0);
  let audited: Instant = instantFromMicros(0);
  let untold = 0;

  function bucketOf(peer: string | null): number {
    const digest = createHash("sha256")
      .update(salt)
      .update(networkOf(peer ?? ""))
      .digest();
    return digest.readUInt32BE() % BUCKETS;
  }
  const fullAt = (bucket: number): Instant => instantFromMicros(perPeer[bucket] ?? 0);

  return {
    wait(peer) {
      const now = clock.now();
      return Math.max(
        waitForTry(fullAt(bucketOf(peer)), now, PER_PEER),
        waitForTry(inAll, now, IN_ALL),
      );
    },
    fail(peer) {
      const now = clock.now();
      const bucket = bucketOf(peer);
      perPeer[bucket] = takeTry(fullAt(bucket), now, PER_PEER);
      inAll = takeTry(inAll, now, IN_ALL);
      untold += 1;
      if (waitForTry(audited, now, AUDITED) > 0) return null;
      audited = takeTry(audited, now, AUDITED);
      const told = untold;
      untold = 0;
      return told;
    },
  };
}
