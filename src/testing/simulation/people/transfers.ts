/** Additional acts at GitHub in a moving world: issues are transferred, and repositories are renamed. */
import type { RepositoryState } from "../../github/index.ts";
import {
  commentName,
  type ConnectedSite,
  issueName,
  OUR_LOGINS,
  type Site,
} from "../world/index.ts";
import { choose, type Deeds, type Stage } from "./stage.ts";

export const REMOTE_MOVES: Deeds = [
  [12, transferIssue],
  [3, renameRepository],
];

/** How often another repository takes a name that was given up. */
const TAKEN = 0.3;

async function transferIssue(stage: Stage): Promise<void> {
  const { github, history, random, sites, places, isSettled } = stage;
  const from = choose(sites, random);
  const issue = from === undefined ? undefined : choose(github.issues(from.id), random);
  const to = choose(
    sites.filter((site) => site !== from),
    random,
  );
  if (from === undefined || issue === undefined || to === undefined) return;
  // Tandem looks for its unanswered create only in the repository where it was made.
  const isOurs = OUR_LOGINS.has(issue.author);
  if (isOurs && !(await isSettled(from, issue.number))) return;
  const before = github.comments(from.id, issue.number);
  const { number, labels } = github.as("mona").transferIssue(from.id, issue.number, to.id);
  const name = issueName(to.repository, number);
  history.tell(`person at github: ${issueName(from.repository, issue.number)} is now ${name}`);
  history.take(issueName(from.repository, issue.number), name);
  github.comments(to.id, number).forEach(({ id }, index) => {
    const former = before[index];
    if (former !== undefined) history.take(commentName(former.id), commentName(id));
  });
  // GitHub drops labels that the other repository does not have.
  for (const label of issue.labels) {
    if (!labels.includes(label)) history.forgetLabel(label, name);
  }
  // The issue is read at its new address, and a redirected write is sent again.
  history.takesCalls(3 + 2 * before.length);
  history.turn(turnOf(from, to, places));
}

function turnOf(from: Site, to: Site, places: readonly ConnectedSite[]) {
  const isPlace = ({ id }: Site) => places.some((place) => place.id === id);
  if (!isPlace(to)) return "an issue was transferred out of reach";
  return isPlace(from)
    ? "an issue was transferred to a connected repository"
    : "an issue came from out of reach";
}

function renameRepository(stage: Stage): Promise<void> {
  const { github, history, random, sites } = stage;
  const site = choose(sites, random);
  if (site === undefined) return Promise.resolve();
  const before = github.repository(site.id);
  const [, first = ""] = site.repository.split("/");
  const owner = before.owner === "acme" ? "globex" : "acme";
  const name = random() < 0.3 ? first : `${first}-${String(history.turns.length)}`;
  const changesHands = random() < 0.3;
  const next = changesHands ? `${owner}/${before.name}` : `${before.owner}/${name}`;
  if (next === before.fullName || history.names.isTaken(next)) return Promise.resolve();
  if (changesHands) github.transferRepository(site.id, owner);
  else github.renameRepository(site.id, name);
  history.names.call(site, next);
  history.tell(`person at github: ${before.fullName} is called ${next}`);
  // The next response from the repository reveals the new name.
  history.takesCalls(2);
  history.turn("a repository was renamed");
  if (random() < TAKEN) takeName(before, stage);
  return Promise.resolve();
}

/** A repository of another owner takes the name, and gets issues with the same numbers. */
function takeName({ owner, name, fullName }: RepositoryState, { github, history }: Stage): void {
  const { id } = github.createRepository({ owner, name });
  history.names.giveUp(fullName);
  history.tell(`person at github: ${fullName} belongs to another owner`);
  const hubot = github.as("hubot");
  const { number } = hubot.openIssue(id, { title: history.fresh("title") });
  hubot.comment(id, number, history.fresh("comment"));
  history.turn("a repository's former name was taken by another owner");
}
