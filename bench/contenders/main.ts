/** One process of a contender: told what to do by the harness, over the channel between them. */
import { makeWork, type WorkOptions } from "../harness/work.ts";
import { CONTENDERS, type ContenderName } from "./contenders.ts";

/** What a process is started with. */
export interface Assignment {
  readonly contender: ContenderName;
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

const tell = (what: "ready" | "done") => process.send?.(what);

process.once("message", (assignment: Assignment) => {
  void run(assignment);
});

async function run({ contender, url, work, batch, process: place, processes }: Assignment) {
  const edits = makeWork(work);
  const batches = Array.from({ length: Math.ceil(edits.length / batch) }, (_, index) =>
    edits.slice(index * batch, (index + 1) * batch),
  ).filter((_, index) => index % processes === place);
  let before = process.cpuUsage();
  const opened = await CONTENDERS[contender].open(url, place, edits);
  process.on("message", (said) => {
    if (said === "go") before = process.cpuUsage();
    if (said === "go") void opened.take(batches).then(() => tell("done"));
    if (said === "stop") {
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
