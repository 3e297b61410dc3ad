/** Row 14: the time to the first page for a user with only Node, and the memory until then. */
import type { Entry, Row } from "../harness/bench.ts";
import { type FirstAnswer, startBare, startDemo } from "../start/first-answer.ts";

const product = entryOf("npm start", startDemo);
const bare = entryOf("bare PGlite", startBare);

export const START: readonly Row[] = [
  {
    id: 14,
    name: "PGlite: first page after `npm start`",
    of: { entry: product, figure: "millis" },
    to: { entry: bare, figure: "millis" },
    against: "the first query of a bare PGlite, also in a fresh process and folder",
    goal: 1.3,
    goalIs: "most",
  },
  {
    id: 14,
    name: "PGlite: most memory until then",
    of: { entry: product, figure: "peak" },
    to: { entry: bare, figure: "peak" },
    against: "the same of the bare PGlite",
    goal: 1,
    goalIs: "most",
  },
];

function entryOf(name: string, start: () => Promise<FirstAnswer>): Entry {
  return {
    name,
    async run() {
      const { millis, rss, peak } = await start();
      return { figures: { millis, rss, peak }, faults: [] };
    },
  };
}
