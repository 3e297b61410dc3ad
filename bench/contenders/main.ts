/** The program of our own contenders' processes. */
import { serve } from "../harness/process.ts";
import { CONTENDERS, type ContenderName } from "./contenders.ts";

serve(({ contender, url, process }, edits) =>
  // The cast is safe: the harness took the name from the same table.
  CONTENDERS[contender as ContenderName].open(url, process, edits),
);
