/**
 * The random numbers of a history, separated by move. The numbers of a move depend on the seed and the move
 * only, not on how many were drawn before. So removing some moves does not change the others.
 */
import type { Random } from "../../model/clock.ts";
import { seededRandom } from "../random.ts";

export class Chance {
  readonly #seed: number;
  #move = 0;
  #turn = 0;
  #streams = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** From now on all numbers are drawn for this move. */
  enter(move: number): void {
    this.#move = move;
    this.#turn += 1;
  }

  /** An independent stream, which restarts with each move. */
  stream(): Random {
    this.#streams += 1;
    const base = mixed(Math.imul(this.#seed, 0x85ebca6b) + this.#streams);
    let turn = -1;
    let random: Random = seededRandom(base);
    return () => {
      if (turn !== this.#turn) {
        turn = this.#turn;
        // Different moves get different seeds, because neither step maps two values to one.
        random = seededRandom(mixed(base + Math.imul(this.#move, 0x9e3779b1)));
      }
      return random();
    };
  }
}

/** A number from 0 to 1 that depends on its arguments only. */
export function chanceAt(seed: number, ...place: readonly number[]): number {
  let bits = mixed(seed);
  for (const number of place) bits = mixed(Math.imul(bits, 0x9e3779b1) + number);
  return bits / 2 ** 32;
}

/** Spreads 32 bits over 32 bits; no two values have the same result. */
function mixed(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}
