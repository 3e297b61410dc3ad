/** One process of a contender: told what to do by the harness, over the channel between them. */
import type { Opened } from "../contenders/contender.ts";
import { type Edit, makeWork, type WorkOptions } from "./work.ts";

/** What a process is started with. */
export interface Assignment {
  readonly contender: string;
  readonly url: string;
  readonly work: WorkOptions;
  /** Edits that are handed over at once. */
  readonly batch: number;
  /** Which of how many processes this is: they take batches in turn. */
  readonly process: number;
  readonly processes: number;
}

/** What a process says of itself in the end. */
export interface LastWords {
  readonly calls: number;
  /** Microseconds of CPU since it was told to go. */
  readonly cpu: number;
}

/** How far it is, while it runs. */
export interface Progress {
  readonly handled: number;
}

/** How often it tells, where it is asked to. */
const TELL_MS = 20;

/** Does what the harness says, with what `open` makes of an assignment. */
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
