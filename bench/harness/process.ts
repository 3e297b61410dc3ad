/** One process of a contender, which the harness controls over their channel. */
import type { Opened } from "../contenders/contender.ts";
import { type Edit, makeWork, type WorkOptions } from "./work.ts";

/** The parameters of a process. */
export interface Assignment {
  readonly contender: string;
  readonly url: string;
  readonly work: WorkOptions;
  /** The number of edits in a batch. */
  readonly batch: number;
  /** The index of this process among all: they take batches in turn. */
  readonly process: number;
  readonly processes: number;
}

/** The final message of a process. */
export interface LastWords {
  readonly calls: number;
  /** Microseconds of CPU since its start signal. */
  readonly cpu: number;
}

/** The progress of a running process. */
export interface Progress {
  readonly handled: number;
}

/** How often it reports its progress, if it is asked to. */
const TELL_MS = 20;

/** Follows the harness's messages, with the contender that `open` makes from an assignment. */
export function serve(
  open: (assignment: Assignment, edits: readonly Edit[]) => Promise<Opened>,
): void {
  process.once("message", (assignment: Assignment) => {
    void run(assignment, open);
  });
}

async function run(assignment: Assignment, open: Parameters<typeof serve>[0]): Promise<void> {
  const { work, batch, process: place, processes } = assignment;
  const edits = makeWork(work);
  const batches = Array.from({ length: Math.ceil(edits.length / batch) }, (_, index) =>
    edits.slice(index * batch, (index + 1) * batch),
  ).filter((_, index) => index % processes === place);
  let before = process.cpuUsage();
  const opened = await open(assignment, edits);
  const telling = setInterval(() => {
    if (opened.handled !== undefined) tell({ handled: opened.handled() });
  }, TELL_MS);
  process.on("message", (said) => {
    if (said === "go") before = process.cpuUsage();
    if (said === "go") void opened.take(batches).then(() => tell("done"));
    if (said === "stop") {
      clearInterval(telling);
      void opened.close().then(() => {
        const { user, system } = process.cpuUsage(before);
        const words: LastWords = { calls: opened.calls?.() ?? 0, cpu: user + system };
        process.send?.(words, () => {
          process.disconnect();
        });
      });
    }
  });
  tell("ready");
}

function tell(what: "ready" | "done" | Progress): void {
  process.send?.(what);
}
