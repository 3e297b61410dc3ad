/** The program that the processes of our own contenders run. */
import { serve } from "../harness/process.ts";
import { CONTENDERS, type ContenderName } from "./contenders.ts";

serve(({ contender, url, process }, edits) =>
  // The harness took the name from the same table.
  CONTENDERS[contender as ContenderName].open(url, process, edits),
);
