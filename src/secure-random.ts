/** Randomness that nobody can guess, for tokens and pauses. */
import { randomFillSync } from "node:crypto";

/** Asked for in advance: each question to the system costs more than the number. */
const entropy = Buffer.alloc(6 * 1_024);
let drawn = entropy.length;

/** A number from 0 up to 1, as `Math.random` gives, made of 48 random bits. */
export function secureRandom(): number {
  if (drawn === entropy.length) {
    randomFillSync(entropy);
    drawn = 0;
  }
  drawn += 6;
  return entropy.readUIntBE(drawn - 6, 6) / 2 ** 48;
}
