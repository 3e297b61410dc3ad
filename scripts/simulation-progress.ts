/**
 * The progress of a long run, in a file that is only appended to: a line that says what is run, then
 * one for each batch. A run that was killed goes on where it was; a last line that was cut short is
 * a batch that is told again.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Seeds } from "./simulation-crew.ts";
import type { SeedReport, Totals } from "./simulation-report.ts";

/** What is run. A file of another run is refused. */
export interface Run {
  readonly database: string;
  readonly world: string;
  readonly steps: number;
  /** Of what is judged: what other code did adds nothing to what this one does. */
  readonly code: string;
}

interface Line extends Seeds {
  readonly totals: Totals;
  /** Seeds that broke something, or told two stories. */
  readonly failing: readonly SeedReport[];
}

export class Progress {
  readonly #file: string;
  readonly lines: readonly Line[];
  readonly #told = new Set<number>();

  /** @throws Error where the file is of another run. */
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

  /** Whether a seed was told. */
  has(seed: number): boolean {
    return this.#told.has(seed);
  }

  append(line: Line): void {
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A digest of the code that histories are told with. */
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

/** The batches of a run that are still to be told. */
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
