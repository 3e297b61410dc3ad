/** Mutants of the author's own token: what leaves under it, whose the resource is, what a refusal does. */
import type { CodeMutant } from "./mutant.ts";

const identify = "src/engine/identify.ts";
const create = "src/engine/create.ts";
const tokens = "src/runtime/author-tokens.ts";
const STORIES = ["test/situations/author-token.test.ts"];
const OWNER = ["test/situations/author-token-owner.test.ts"];
const REFUSED = ["test/situations/author-token-refused.test.ts"];

export const authors: readonly CodeMutant[] = [
  {
    id: "author-ours",
    rule: "What a user wrote under whose own token a create left is ours too",
    file: identify,
    find: "const byAuthor = isAuthorOf(arrival.author, byToken.posted);",
    replace: "const byAuthor = false as boolean;",
    killedBy: ["test/engine/create-schedules.test.ts"],
  },
  {
    id: "author-copy",
    rule: "... but their own copy is surplus only where more than one create left",
    file: identify,
    find: "posted.times < 2 ||",
    replace: "",
    killedBy: ["test/engine/create-schedules.test.ts"],
  },
  {
    id: "author-copy-late",
    rule: "... and only what was made shortly after the last of them",
    file: identify,
    find: "return createdAt <= addMillis(posted.at, LATE_CREATE_MS);",
    replace: "return true;",
    killedBy: ["test/engine/create-schedules.test.ts"],
  },
  {
    id: "author-noted",
    rule: "Who writes is committed before the create leaves",
    file: create,
    find: "authors: isNew ? [...authors, writer.actor] : authors,",
    replace: "authors,",
    killedBy: ["test/engine/create-schedules.test.ts"],
  },
  {
    id: "author-counted",
    rule: "... and how many have left",
    file: create,
    find: "times: times + 1,",
    replace: "times: 1,",
    killedBy: ["test/engine/create-schedules.test.ts"],
  },
  {
    id: "author-refused",
    rule: "A create that was refused did not leave: its author has written nothing",
    file: create,
    find: "intent: back ? takenBack(intent, attempt.postedBefore ?? null) : intent,",
    replace: "intent,",
    killedBy: ["test/engine/create.test.ts"],
  },
  {
    id: "author-tokenless",
    rule: "Without room for our token the account writes, for nothing else tells whose it is",
    file: "src/engine/outbound.ts",
    find: "const writer = carried ? asked : BY_ACCOUNT;",
    replace: "const writer = asked;",
    killedBy: ["test/engine/create.test.ts"],
  },
  {
    id: "author-line",
    rule: "What its author wrote has no line that names them, when it is edited too",
    file: create,
    find: "if (intent === null || intent.posted?.byAuthor === true) return values;",
    replace: "if (intent === null) return values;",
    killedBy: ["test/engine/create.test.ts"],
  },
  {
    id: "author-dropped",
    rule: "What a user may not set is no change of theirs: the account sets it",
    file: "src/engine/merge.ts",
    find: "sent !== null && mayBeDropped ? withoutDropped(sent, sight, mapping) : sent;",
    replace:
      "sent !== null && mayBeDropped && lane.epoch < 0 ? withoutDropped(sent, sight, mapping) : sent;",
    killedBy: STORIES,
  },
  {
    id: "author-dropped-added",
    rule: "... beside what others have added meanwhile",
    file: "src/engine/plan.ts",
    find: "return { record: mergeSet([], record, seen), base: seen, news: true };",
    replace: "return { record, base: seen, news: false };",
    killedBy: STORIES,
  },
  {
    id: "author-found",
    rule: "A lost create is found although another account than ours wrote it",
    file: "src/runtime/find-created.ts",
    find: "const byAuthor = isAuthorOf(one.author, lane.intent.posted ?? null);",
    replace: "const byAuthor = isAuthorOf(null, lane.intent.posted ?? null);",
    killedBy: STORIES,
  },
  {
    id: "author-sender",
    rule: "Only creates leave under the author's token",
    file: "src/runtime/process-outbound.ts",
    find: 'request.kind === "create" && request.writer.kind === "author" ? asked : null;',
    replace: "asked;",
    killedBy: STORIES,
  },
  {
    id: "author-of-now",
    rule: "... and never under that of another than its author now",
    file: tokens,
    find: "asked.author === null || asked.author === author.id ? asked.writer : null;",
    replace: "asked.writer;",
    killedBy: OWNER,
  },
  {
    id: "author-instead",
    rule: "Where the token is refused the account writes instead, and is not blamed",
    file: tokens,
    find: 'if (!(thrown instanceof IntegrationError) || thrown.applied !== "no") return null;',
    replace: 'if (!(thrown instanceof IntegrationError) || thrown.applied === "no") return null;',
    killedBy: ["test/runtime/author-tokens.test.ts"],
  },
  {
    id: "author-limited",
    rule: "A user's rate limit does not pause the account",
    file: tokens,
    find: 'return "author_token_limited";',
    replace: "return null;",
    killedBy: ["test/runtime/author-tokens.test.ts"],
  },
  {
    id: "author-rests",
    rule: "A token that was refused is left alone for a while",
    file: tokens,
    find: "if (until !== null) token.rests.set(connection, { until, instead });",
    replace: "",
    killedBy: REFUSED,
  },
  {
    id: "author-asked-once",
    rule: "Who a token is is asked once",
    file: tokens,
    find: "token.actor ??= client.identity();",
    replace: "token.actor = client.identity();",
    killedBy: STORIES,
  },
  {
    id: "author-in-time",
    rule: "The app has its time to give a token, and no more",
    file: tokens,
    find: "credentials = await inTime(clock, HOOK_MS, answer, () => new TooSlowError());",
    replace: "credentials = await answer;",
    killedBy: REFUSED,
  },
];
