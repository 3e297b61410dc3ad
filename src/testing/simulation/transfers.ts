/** What people do at GitHub besides in a moving world: they transfer issues and rename repositories. */
import type { RepositoryState } from "../github/index.ts";
import { commentName, issueName, OUR_LOGINS, type ConnectedSite, type Site } from "./places.ts";
import { choose, type Deeds, type Stage } from "./stage.ts";

export const REMOTE_MOVES: Deeds = [
  [12, transferIssue],
  [3, renameRepository],
];

/** How often another repository takes the name that one has given up. */
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
  // A create of ours that was not answered yet is looked for where it was made, and nowhere else.
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
  // GitHub leaves behind what the other repository has no label for.
  for (const label of issue.labels) {
    if (!labels.includes(label)) history.forgetLabel(label, name);
  }
  // It is read where it is now, and a write that was led there is sent again.
  history.takesCalls(3 + 2 * before.length);
  history.turn(turnOf(from, to, places));
}

function turnOf(from: Site, to: Site, places: readonly ConnectedSite[]) {
  const isPlace = ({ id }: Site) => places.some((place) => place.id === id);
  if (!isPlace(to)) return "an issue was transferred to where nothing is connected";
  return isPlace(from)
    ? "an issue was transferred to where it is connected"
    : "an issue came from where nothing is connected";
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
  // The next request for its name tells what it is by now.
  history.takesCalls(2);
  history.turn("a repository was renamed");
  if (random() < TAKEN) takeName(before, stage);
  return Promise.resolve();
}

/** Somebody's own repository has the name by now, and issues with the same numbers. */
function takeName({ owner, name, fullName }: RepositoryState, { github, history }: Stage): void {
  const { id } = github.createRepository({ owner, name });
  history.names.giveUp(fullName);
  history.tell(`person at github: ${fullName} is somebody's`);
  const hubot = github.as("hubot");
  const { number } = hubot.openIssue(id, { title: history.fresh("title") });
  hubot.comment(id, number, history.fresh("comment"));
  history.turn("a name was given up and taken by somebody");
}
