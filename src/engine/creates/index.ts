/**
 * Creating a resource exactly once, and recognising the resource that a create made.
 *
 * 1. Only `identify` decides which lane a resource belongs to.
 * 2. The token of a create is committed before its request is sent.
 * 3. A token is no proof: an unanswered create is, if author, time and texts match.
 * 4. A resource without a token waits while a create of its writer is unanswered.
 */
export {
  attributed,
  BY_ACCOUNT,
  creationValues,
  lookInstead,
  post,
  reasonOfCreate,
  saidOf,
  signed,
  withoutRefused,
  withoutRefusedLate,
  type Writer,
  writtenBy,
} from "./create.ts";
export {
  amongAuthors,
  CLOCK_ALLOWANCE_MS,
  type Identification,
  identify,
  type IntentKey,
  isByItsWriter,
  isMadeBetween,
  isMadeSince,
  learnIdentity,
  madeAnew,
  withMade,
  writtenByUs,
} from "./identify.ts";
export {
  admitSurplus,
  type First,
  isCertainlySurplus,
  isWhySurplus,
  lostWith,
  noteSurplus,
  secondsBelow,
  whySurplus,
} from "./surplus.ts";
export {
  awaitIntents,
  awaitStill,
  closeIntent,
  closesIntent,
  INTENT_DEADLINE_MS,
  isUnseen,
  letGo,
  type Likeness,
  likenessOf,
  mayHaveLostToken,
  mostAlike,
  ownerByContent,
  sentByCreates,
  takeOver,
} from "./unmarked.ts";
