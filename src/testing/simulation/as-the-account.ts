/**
 * What people do at GitHub that looks like Tandem's doing: they act as the account itself, copy texts with
 * their markers, take markers away, and write on what is surplus. And GitHub's clock, which steps back.
 */
import type { Issue } from "../github/index.ts";
import { TEST_LOGIN } from "../test-tandem.ts";
import { keepingToken, markerIn, tokenIn } from "./history.ts";
import { commentName, issueName, type Site } from "./places.ts";
import { choose, type Deeds, someSite, type Stage } from "./stage.ts";

/** What is done in our name, or at an older time, ... */
export const LOOKING_LIKE_US: Deeds = [
  [4, stepClockBack],
  [5, editAsAccount],
];
/** ... and what is done to markers, which prove nothing by themselves. */
export const COPYING_MARKERS: Deeds = [
  [6, copyIssue],
  [6, copyComment],
  [5, removeMarker],
];

const LONGEST_STEP_MS = 40_000;

/** GitHub's clock is set back by some seconds: what is said next, right away, may bear an older time. */
function stepClockBack(stage: Stage): Promise<void> {
  const { github, random, history, setBack } = stage;
  const millis = Math.ceil(random() * LONGEST_STEP_MS);
  setBack(millis);
  history.tell(`github's clock steps back by ${String(millis)} ms`);
  history.turn("the provider's clock stepped back");
  const { repository, id: site } = someSite(stage);
  const issue = choose(github.issues(site), random);
  if (issue === undefined) return DONE;
  const title = history.fresh("title");
  history.edit("resource", issueName(repository, issue.number), "title", issue.title, title);
  github.as("mona").editIssue(site, issue.number, { title });
  return DONE;
}

/** Somebody who logs in as the account edits an issue, as anybody else would. */
function editAsAccount(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { repository, id: site } = someSite(stage);
  const issue = choose(github.issues(site), random);
  if (issue === undefined) return DONE;
  const value = history.fresh("title");
  history.edit("resource", issueName(repository, issue.number), "title", issue.title, value);
  github.as(TEST_LOGIN).editIssue(site, issue.number, { title: value });
  history.turn("somebody acted as the account");
  return DONE;
}

function copyIssue(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { repository, id: site } = someSite(stage);
  const issues = github.issues(site);
  const issue = choose(
    issues.filter(({ body }) => tokenIn(body) !== null),
    random,
  );
  if (issue === undefined || issues.length > MOST_ISSUES) return DONE;
  const title = history.fresh("title");
  const copy = github.as(someCopier(stage)).openIssue(site, {
    title,
    body: keepingToken(issue.body, history.fresh("body")),
  });
  const name = issueName(repository, copy.number);
  history.copies.set(name, name);
  history.turn("a text was copied with its marker");
  return DONE;
}

function copyComment(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { repository, id: site } = someSite(stage);
  const comment = choose(
    github.comments(site).filter(({ body }) => tokenIn(body) !== null),
    random,
  );
  if (comment === undefined) return DONE;
  const body = keepingToken(comment.body, history.fresh("comment"));
  const copy = github.as(someCopier(stage)).comment(site, comment.issueNumber, body);
  history.copies.set(commentName(copy.id), issueName(repository, comment.issueNumber));
  history.turn("a text was copied with its marker");
  return DONE;
}

/** Somebody edits a text and removes what they take for a leftover. */
function removeMarker(stage: Stage): Promise<void> {
  const { github, random } = stage;
  const { repository, id: site } = someSite(stage);
  const marked = github.issues(site).filter(({ body }) => tokenIn(body) !== null);
  takeMarkerOff(stage, { repository, id: site }, choose(marked, random));
  return DONE;
}

/**
 * An issue that Tandem has made and knows nothing of, for the answer was lost: somebody takes its marker away
 * before it is looked for. That is rare, so it is done mostly where it can be.
 *
 * @returns whether there was one.
 */
export async function takeOnlyTrace(stage: Stage): Promise<boolean> {
  const { github, history, remoteEdits, random, places } = stage;
  const isUnknown = ({ body }: Issue) => {
    const token = tokenIn(body);
    return token !== null && history.wasMissed(token) && !history.wasTold(token, true);
  };
  for (const place of places) {
    const issue = github.issues(place.id).find(isUnknown);
    if (issue === undefined || random() >= MOSTLY) continue;
    await remoteEdits.act(() => {
      takeMarkerOff(stage, place, issue);
      return DONE;
    });
    return true;
  }
  return false;
}

function takeMarkerOff(
  { github, history }: Stage,
  { repository, id: site }: Pick<Site, "repository" | "id">,
  issue: Issue | undefined,
): void {
  if (issue === undefined) return;
  history.tell(`person at github: the marker of ${issueName(repository, issue.number)} is removed`);
  history.turn("a marker was removed");
  const body = (issue.body ?? "").replace(markerIn(issue.body), "");
  github.as("mona").editIssue(site, issue.number, { body });
}

/**
 * Two issues of one create: somebody writes on the second before it is closed, as soon as there is one, for
 * that is rare.
 *
 * @returns whether there was one that nobody had written on.
 */
export async function writeOnSurplus(stage: Stage): Promise<boolean> {
  const { github, history, remoteEdits } = stage;
  const { repository, id: site } = someSite(stage);
  const seen = new Set<string>();
  for (const { number, body, author, state, comments } of github.issues(site)) {
    const token = tokenIn(body);
    const isOurs = author === TEST_LOGIN && !history.copies.has(issueName(repository, number));
    if (token === null || !isOurs) continue;
    if (seen.has(token) && state === "open" && comments === 0) {
      await remoteEdits.act(() => {
        github.as("mona").comment(site, number, history.fresh("comment"));
        return DONE;
      });
      history.tell(
        `person at github: issue ${String(number)} is surplus, and somebody writes on it`,
      );
      return true;
    }
    seen.add(token);
  }
  return false;
}

function someCopier({ random }: Stage): string {
  return random() < 0.5 ? TEST_LOGIN : "stranger";
}

const MOSTLY = 0.7;
const MOST_ISSUES = 6;
const DONE = Promise.resolve();
