/** The assignees of tasks and issues: a second mapped set besides labels, in a world whose webhooks are lost. */
import { issueName } from "../world/index.ts";
import { choose, type Deeds, livingTasks, someSite, type Stage } from "./stage.ts";

/** Users that are created to be assigned; Mona exists already. */
export const ASSIGNABLE = ["stranger", "octocat", "hubot"];

export const ASSIGNING_IN_APP: Deeds = [[12, assignTask]];
export const ASSIGNING_AT_GITHUB: Deeds = [[12, assignIssue]];

async function assignTask(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  const task = choose(await livingTasks(stage), random);
  const login = choose(ASSIGNABLE, random);
  if (task === undefined || login === undefined) return;
  const others = task.assignees.filter((each) => each !== login);
  const isAssigned = others.length < task.assignees.length;
  history.assign("record", `tasks:${task.id}`, login, !isAssigned);
  await world.editTask(task.id, { assignees: isAssigned ? others : [...others, login] });
}

function assignIssue(stage: Stage): Promise<void> {
  const { github, history, random } = stage;
  const { repository, id: site } = someSite(stage);
  const issue = choose(github.issues(site), random);
  const login = choose(ASSIGNABLE, random);
  if (issue === undefined || login === undefined) return Promise.resolve();
  const isAssigned = issue.assignees.includes(login);
  history.assign("resource", issueName(repository, issue.number), login, !isAssigned);
  const mona = github.as("mona");
  if (isAssigned) mona.unassign(site, issue.number, login);
  else mona.assign(site, issue.number, login);
  return Promise.resolve();
}
