/** Everything that is fuzzed; the shares add up to 1. */
import { answers } from "./answers.ts";
import { apiInMemory, apiOnPglite } from "./api.ts";
import { configs } from "./configs.ts";
import { linearTime } from "./linear-time.ts";
import { receiverInMemory, receiverOnPglite } from "./receiver.ts";
import type { FuzzTarget } from "./target.ts";
import { roundTrips, translators } from "./translators.ts";

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  receiverInMemory,
  receiverOnPglite,
  apiInMemory,
  apiOnPglite,
  translators,
  roundTrips,
  answers,
  linearTime,
  configs,
];
