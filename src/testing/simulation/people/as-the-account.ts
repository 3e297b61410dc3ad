/**
 * Acts of people at GitHub that look like Tandem's own: they log in as the account, copy texts with markers,
 * remove markers, and comment on surplus issues. GitHub's clock also steps back.
 */
import type { Issue } from "../../github/index.ts";
import { TEST_LOGIN } from "../../test-tandem.ts";
import { keepingToken, markerIn, tokenIn } from "../history/index.ts";
import { commentName, issueName, type Site } from "../world/index.ts";
import { choose, type Deeds, someSite, type Stage } from "./stage.ts";

/** Acts under the account's login, or with an older time. */
export const LOOKING_LIKE_US: Deeds = [
  [4, stepClockBack],
  [5, editAsAccount],
];
/** Acts on markers, which prove nothing about their author. */
export const COPYING_MARKERS: Deeds = [
  [6, copyIssue],
  [6, copyComment],
  [5, removeMarker],
];

const LONGEST_STEP_MS = 40_000;

/** Sets GitHub's clock back by some seconds, so that the edit that follows has an older time. */
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

/** A person who is logged in as the account edits an issue. */
function editAsAccount(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { repository, id: site } = someSite(stage);
  const issue = choose(github.issues(site), random);
  if (issue === undefined) return DONE;
  const value = history.fresh("title");
  history.edit("resource", issueName(repository, issue.number), "title", issue.title, value);
  github.as(TEST_LOGIN).editIssue(site, issue.number, { title: value });
  history.turn("a person acted as the account");
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

/** A person edits a text and removes its marker, which looks like a leftover. */
function removeMarker(stage: Stage): Promise<void> {
  const { github, random } = stage;
  const { repository, id: site } = someSite(stage);
  const marked = github.issues(site).filter(({ body }) => tokenIn(body) !== null);
  takeMarkerOff(stage, { repository, id: site }, choose(marked, random));
  return DONE;
}

/**
 * A person removes the marker of an issue whose create was never answered, before Tandem looks for it. Such
 * issues are rare, so the marker is usually removed if there is one.
 *
 * @returns Whether there was such an issue.
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
 * A person comments on the second of two issues that one create has made, before it is closed. Such issues
 * are rare, so the person comments as soon as there is one.
 *
 * @returns Whether there was such an issue without a person's comment.
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
        `person at github: issue ${String(number)} is surplus, and a person comments on it`,
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
