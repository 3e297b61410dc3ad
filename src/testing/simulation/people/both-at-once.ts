/** People edit both sides of a pairing within a second, so neither has seen the other's edit. */
import { keepingToken, withoutToken } from "../history/index.ts";
import { issueName } from "../world/index.ts";
import { choose, type Deeds, livingTasks, someSite, type Stage } from "./stage.ts";

export const EDITING_BOTH_SIDES: Deeds = [[50, editBothSides]];

const FIELDS = ["title", "body", "labels", "state"] as const;
type Field = (typeof FIELDS)[number];

async function editBothSides(stage: Stage): Promise<void> {
  const { random, history, remoteEdits, counterpartOf } = stage;
  const task = choose(await livingTasks(stage), random);
  const isRemoteFirst = random() < 0.5;
  const [there = "title", here = "title"] = [choose(FIELDS, random), choose(FIELDS, random)];
  const number = task === undefined ? null : await counterpartOf("tasks", task.id);
  if (task === undefined || number === null) return;
  const remotely = () =>
    remoteEdits.act(() => {
      editThere(stage, number, there);
      return Promise.resolve();
    });
  if (isRemoteFirst) await remotely();
  await editHere(stage, task.id, here);
  if (!isRemoteFirst) await remotely();
  history.turn("both sides of a pairing were edited at the same time");
}

function editThere(stage: Stage, number: number, field: Field): void {
  const { github, history } = stage;
  const { repository, id: site } = someSite(stage);
  const issue = github.issue(site, number);
  if (issue === undefined) return;
  const mona = github.as("mona");
  const name = issueName(repository, number);
  const value = history.fresh(field === "labels" ? "label" : field);
  if (field === "labels") {
    history.addLabel("resource", name, value);
    mona.addLabel(site, number, value);
  } else if (field === "state") {
    if (issue.state === "open") mona.closeIssue(site, number);
    else mona.reopenIssue(site, number);
  } else {
    const before = field === "title" ? issue.title : withoutToken(issue.body);
    history.edit("resource", name, field, before, value);
    const written = field === "title" ? value : keepingToken(issue.body, value);
    mona.editIssue(site, number, { [field]: written });
  }
}

async function editHere(stage: Stage, id: string, field: Field): Promise<void> {
  const { world, history } = stage;
  const task = (await livingTasks(stage)).find((each) => each.id === id);
  if (task === undefined) return;
  const name = `tasks:${id}`;
  const value = history.fresh(field === "labels" ? "label" : field);
  if (field === "labels") {
    history.addLabel("record", name, value);
    await world.editTask(id, { labels: [...task.labels, value] });
  } else if (field === "state") {
    const status = task.status === "done" ? "todo" : "done";
    history.tell(`app: task ${id} is ${status}`);
    await world.editTask(id, { status });
  } else {
    const column = field === "title" ? "title" : "markdown";
    history.edit("record", name, field, task[column], value);
    await world.editTask(id, { [column]: value });
  }
}
