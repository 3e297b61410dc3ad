/**
 * The progress of a long run, in an append-only file: a line that identifies the run, then one for each batch.
 * A killed run resumes from the file. A batch whose line was cut off runs again.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Seeds } from "./simulation-crew.ts";
import type { SeedReport, Totals } from "./simulation-report.ts";

/** The identity of a run. The file of another run is refused. */
export interface Run {
  readonly database: string;
  readonly world: string;
  readonly steps: number;
  /** A digest of the tested code: results of other code must not be added. */
  readonly code: string;
}

interface Line extends Seeds {
  readonly totals: Totals;
  /** Seeds that violated an invariant, or whose second run differed. */
  readonly failing: readonly SeedReport[];
}

export class Progress {
  readonly #file: string;
  readonly lines: readonly Line[];
  readonly #told = new Set<number>();

  /** @throws Error if the file belongs to another run. */
  constructor(file: string, run: Run) {
    this.#file = file;
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
    const [first, ...others] = whole.split("\n").filter((line) => line !== "");
    const title = JSON.stringify(run);
    if (first === undefined) appendFileSync(file, `${title}\n`);
    else if (first !== title) {
      throw new Error(`${file} is the progress of ${first}, not of ${title}: name another file`);
    }
    this.lines = others.map((line) => JSON.parse(line) as Line);
    for (const { from, count } of this.lines) {
      for (let seed = from; seed < from + count; seed += 1) this.#told.add(seed);
    }
  }

  /** Whether a seed has run. */
  has(seed: number): boolean {
    return this.#told.has(seed);
  }

  append(line: Line): void {
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A digest of the code that histories run. */
export function digestOfCode(): string {
  const hash = createHash("sha256");
  for (const folder of ["src", "migrations", "scripts"]) {
    const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort();
    for (const file of files) hash.update(file.slice(ROOT.length)).update(readFileSync(file));
  }
  return hash.digest("base64url").slice(0, 12);
}

/** The batches of a run that are left. */
export function* batchesOf(
  first: number,
  count: number,
  size: number,
  isTold: (seed: number) => boolean,
): Generator<Seeds> {
  let from: number | null = null;
  for (let seed = first; seed <= first + count; seed += 1) {
    const isOpen = seed < first + count && !isTold(seed);
    if (isOpen && from === null) from = seed;
    if (from !== null && (!isOpen || seed - from === size)) {
      yield { from, count: seed - from };
      from = isOpen ? seed : null;
    }
  }
}
