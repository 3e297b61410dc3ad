/** Unpredictable random numbers, for tokens and jitter. */
import { randomFillSync } from "node:crypto";

/** Filled in advance, because each system call costs more than a number. */
const entropy = Buffer.alloc(6 * 1_024);
let drawn = entropy.length;

/** A number from 0 up to but not including 1, as from `Math.random`, with 48 random bits. */
export function secureRandom(): number {
  if (drawn === entropy.length) {
    randomFillSync(entropy);
    drawn = 0;
  }
  drawn += 6;
  return entropy.readUIntBE(drawn - 6, 6) / 2 ** 48;
}
