/** Acts of people in a simulated history: random edits, creations and deletions on both sides. */
import type { Comment } from "../../github/index.ts";
import { type History, keepingToken, withoutToken } from "../history/index.ts";
import { MOVING_DEEDS, someProject } from "./moves.ts";
import {
  COPYING_MARKERS,
  LOOKING_LIKE_US,
  takeOnlyTrace,
  writeOnSurplus,
} from "./as-the-account.ts";
import { ASSIGNING_AT_GITHUB, ASSIGNING_IN_APP } from "./assignees.ts";
import { EDITING_BOTH_SIDES } from "./both-at-once.ts";
import { SIGNING_UP, somebody, someAuthor } from "./people.ts";
import { commentName, issueName, type WorldKind } from "../world/index.ts";
import { REMOTE_MOVES } from "./transfers.ts";
import { choose, type Deeds, livingTasks, someSite, type Stage } from "./stage.ts";

const MOST_THINGS = 4;
const STATUSES = ["todo", "doing", "done"];

const LOCAL_DEEDS: Deeds = [
  [14, addTask],
  [14, addComment],
  [12, editComment],
  [10, changeStatus],
  [22, editTask],
  [16, labelTask],
  [3, deleteTask],
  [3, archiveTask],
  [4, restoreTask],
  [4, deleteComment],
];

const REMOTE_DEEDS: Deeds = [
  [14, openIssue],
  [14, commentOnIssue],
  [12, editIssueComment],
  [10, toggleIssue],
  [22, editIssue],
  [16, labelIssue],
  [4, deleteIssue],
  [4, deleteIssueComment],
];

/** Additional acts in each world. */
const MORE_DEEDS: Readonly<Record<WorldKind, { readonly local: Deeds; readonly remote: Deeds }>> = {
  staying: { local: [], remote: [] },
  moving: { local: [...MOVING_DEEDS, ...SIGNING_UP], remote: REMOTE_MOVES },
  polling: {
    local: [...ASSIGNING_IN_APP, ...EDITING_BOTH_SIDES],
    remote: [...ASSIGNING_AT_GITHUB, ...LOOKING_LIKE_US, ...COPYING_MARKERS],
  },
};

/** One random act of a person on one of the sides. */
export async function editSomething(stage: Stage): Promise<void> {
  const isRemote = stage.random() >= 0.5;
  if (stage.world.kind === "polling" && (await takeItsChance(stage))) return;
  const more = MORE_DEEDS[stage.world.kind];
  const deeds = isRemote ? [...REMOTE_DEEDS, ...more.remote] : [...LOCAL_DEEDS, ...more.local];
  const total = deeds.reduce((sum, [weight]) => sum + weight, 0);
  let ticket = stage.random() * total;
  for (const [weight, deed] of deeds) {
    ticket -= weight;
    if (ticket >= 0) continue;
    await (isRemote ? stage.remoteEdits.act(() => deed(stage)) : deed(stage));
    return;
  }
}

/** Performs a rare act as soon as it is possible. */
async function takeItsChance(stage: Stage): Promise<boolean> {
  return (await writeOnSurplus(stage)) || (await takeOnlyTrace(stage));
}

async function addTask(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  if ((await livingTasks(stage)).length >= MOST_THINGS) return;
  const title = history.fresh("title");
  const labels = random() < 0.3 ? [history.fresh("label")] : [];
  const projectId = someProject(stage);
  const ownerId = await someAuthor(stage);
  const id = await world.addTask({ projectId, ownerId, title, labels });
  history.authors.set(`tasks:${id}`, ownerId);
  const where = projectId === "1" ? "" : ` in project ${projectId}`;
  history.tell(`app: task ${id} "${title}"${where}`);
  for (const label of labels) history.addLabel("record", `tasks:${id}`, label);
}

async function editTask(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  const task = choose(await livingTasks(stage), random);
  if (task === undefined) return;
  const column = random() < 0.5 ? "title" : "markdown";
  const field = column === "title" ? "title" : "body";
  const value = history.fresh(field);
  history.edit("record", `tasks:${task.id}`, field, task[column], value);
  await world.editTask(task.id, { [column]: value });
}

async function changeStatus(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  const task = choose(await livingTasks(stage), random);
  const status = choose(STATUSES, random);
  if (task === undefined || status === undefined) return;
  history.tell(`app: task ${task.id} is ${status}`);
  await world.editTask(task.id, { status });
}

async function labelTask(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  const task = choose(await livingTasks(stage), random);
  if (task === undefined) return;
  const gone = random() < 0.4 ? choose(task.labels, random) : undefined;
  if (gone !== undefined) {
    history.removeLabel("record", `tasks:${task.id}`, gone);
    await world.editTask(task.id, { labels: task.labels.filter((label) => label !== gone) });
    return;
  }
  const label = history.fresh("label");
  history.addLabel("record", `tasks:${task.id}`, label);
  await world.editTask(task.id, { labels: [...task.labels, label] });
}

async function deleteTask(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  const task = choose(await world.tasks(), random);
  if (task === undefined) return;
  const comments = (await world.comments()).filter(({ taskId }) => taskId === task.id);
  for (const { id, markdown } of comments) await noteDeleted(stage, "comments", id, [markdown]);
  await noteDeleted(stage, "tasks", task.id, [task.title, task.markdown]);
  await world.deleteTask(task.id);
  history.tell(`app: with ${String(comments.length)} comments`);
}

async function archiveTask(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  const task = choose(await livingTasks(stage), random);
  if (task === undefined) return;
  history.tell(`app: task ${task.id} is archived`);
  for (const value of [task.title, task.markdown]) history.supersede(value);
  await world.editTask(task.id, { archived: true });
}

async function restoreTask({ world, history, random }: Stage): Promise<void> {
  const task = choose(
    (await world.tasks()).filter(({ archived }) => archived),
    random,
  );
  if (task === undefined) return;
  history.tell(`app: task ${task.id} is taken out of the archive`);
  await world.editTask(task.id, { archived: false });
}

async function addComment(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  const task = choose(await livingTasks(stage), random);
  if (task === undefined) return;
  const value = history.fresh("comment");
  const authorId = await someAuthor(stage);
  const id = await world.addComment(task.id, value, authorId);
  history.authors.set(`comments:${id}`, authorId);
  history.tell(`app: comment ${id} "${value}" on task ${task.id}`);
}

async function editComment({ world, history, random }: Stage): Promise<void> {
  const comment = choose(await world.comments(), random);
  if (comment === undefined) return;
  const value = history.fresh("comment");
  history.edit("record", `comments:${comment.id}`, "body", comment.markdown, value);
  await world.editComment(comment.id, value);
}

async function deleteComment(stage: Stage): Promise<void> {
  const { world, random } = stage;
  const comment = choose(await world.comments(), random);
  if (comment === undefined) return;
  await noteDeleted(stage, "comments", comment.id, [comment.markdown]);
  await world.deleteComment(comment.id);
}

async function noteDeleted(
  { history, isPaired }: Stage,
  table: string,
  id: string,
  says: readonly string[],
): Promise<void> {
  history.delete("record", `${table}:${id}`, says, await isPaired(table, id));
}

function openIssue(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { repository, id: site } = someSite(stage);
  if (github.issues(site).length < MOST_THINGS) {
    const person = github.as(somebody(stage));
    const labels = random() < 0.3 ? [history.fresh("label")] : [];
    const issue = person.openIssue(site, {
      title: history.fresh("title"),
      body: "",
      labels,
    });
    const name = issueName(repository, issue.number);
    for (const label of labels) history.addLabel("resource", name, label);
  }
  return DONE;
}

function editIssue(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { repository, id: site } = someSite(stage);
  const issue = choose(github.issues(site), random);
  if (issue === undefined) return DONE;
  const field = random() < 0.5 ? "title" : "body";
  const value = history.fresh(field);
  const before = field === "title" ? issue.title : withoutToken(issue.body);
  history.edit("resource", issueName(repository, issue.number), field, before, value);
  const written = field === "title" ? value : keepingToken(issue.body, value);
  github.as("mona").editIssue(site, issue.number, { [field]: written });
  return DONE;
}

function toggleIssue(stage: Stage): Promise<void> {
  const { github, random } = stage;
  const mona = github.as("mona");
  const { id: site } = someSite(stage);
  const issue = choose(github.issues(site), random);
  if (issue === undefined) return DONE;
  if (issue.state === "open") mona.closeIssue(site, issue.number);
  else mona.reopenIssue(site, issue.number);
  return DONE;
}

function labelIssue(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const mona = github.as("mona");
  const { repository, id: site } = someSite(stage);
  const issue = choose(github.issues(site), random);
  if (issue === undefined) return DONE;
  const name = issueName(repository, issue.number);
  const gone = random() < 0.4 ? choose(issue.labels, random) : undefined;
  if (gone !== undefined) {
    history.removeLabel("resource", name, gone);
    mona.removeLabel(site, issue.number, gone);
    return DONE;
  }
  const label = history.fresh("label");
  history.addLabel("resource", name, label);
  mona.addLabel(site, issue.number, label);
  return DONE;
}

function deleteIssue(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { repository, id: site } = someSite(stage);
  const issue = choose(github.issues(site), random);
  if (issue === undefined) return DONE;
  for (const comment of github.comments(site, issue.number)) {
    noteCommentDeleted(history, comment);
  }
  const says = [issue.title, withoutToken(issue.body)];
  history.delete("resource", issueName(repository, issue.number), says, true);
  github.as("mona").deleteIssue(site, issue.number);
  return DONE;
}

function commentOnIssue(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { id: site } = someSite(stage);
  const issue = choose(github.issues(site), random);
  if (issue === undefined) return DONE;
  const person = github.as(somebody(stage));
  person.comment(site, issue.number, history.fresh("comment"));
  return DONE;
}

function editIssueComment(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { id: site } = someSite(stage);
  const comment = choose(github.comments(site), random);
  if (comment === undefined) return DONE;
  const value = history.fresh("comment");
  const before = withoutToken(comment.body);
  history.edit("resource", commentName(comment.id), "body", before, value);
  github.as("mona").editComment(site, comment.id, keepingToken(comment.body, value));
  return DONE;
}

function deleteIssueComment(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { id: site } = someSite(stage);
  const comment = choose(github.comments(site), random);
  if (comment === undefined) return DONE;
  noteCommentDeleted(history, comment);
  github.as("mona").deleteComment(site, comment.id);
  return DONE;
}

function noteCommentDeleted(history: History, { id, body }: Comment): void {
  history.delete("resource", commentName(id), [withoutToken(body)], true);
}

const DONE = Promise.resolve();
