/** Every mutant, in the order in which an event meets the rules. */
import { admission } from "./admission.ts";
import { agreeing } from "./agreeing.ts";
import { answering } from "./answering.ts";
import { authors } from "./authors.ts";
import { availability } from "./availability.ts";
import { backInReach } from "./back-in-reach.ts";
import { batching } from "./batching.ts";
import { clockBack } from "./clock-back.ts";
import { creating } from "./creating.ts";
import { merging } from "./merging.ts";
import { failingOver } from "./failing-over.ts";
import { families } from "./families.ts";
import { moving } from "./moving.ts";
import type { CodeMutant } from "./mutant.ts";
import { outcomes } from "./outcomes.ts";
import { processing } from "./processing.ts";
import { processClocks } from "./process-clocks.ts";
import { providers } from "./providers.ts";
import { redelivering } from "./redelivering.ts";
import { reportedLate } from "./reported-late.ts";
import { returning } from "./returning.ts";
import { readingFirst } from "./reading-first.ts";
import { safety } from "./safety.ts";
import { schemas } from "./schemas.ts";
import { accesses } from "./access.ts";
import { security } from "./security.ts";
import { transferring } from "./transferring.ts";

export const mutants: readonly CodeMutant[] = [
  ...admission,
  ...clockBack,
  ...merging,
  ...agreeing,
  ...processing,
  ...creating,
  ...redelivering,
  ...readingFirst,
  ...failingOver,
  ...safety,
  ...schemas,
  ...families,
  ...moving,
  ...transferring,
  ...backInReach,
  ...reportedLate,
  ...authors,
  ...returning,
  ...batching,
  ...answering,
  ...outcomes,
  ...processClocks,
  ...providers,
  ...availability,
  ...security,
  ...accesses,
];
