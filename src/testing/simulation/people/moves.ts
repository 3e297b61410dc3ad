/** Additional acts in a moving world: tasks and comments change their place, and users have tokens. */
import { PROJECTS, TOKEN_STANDINGS } from "../world/index.ts";
import { choose, type Deeds, livingTasks, type Stage } from "./stage.ts";

export const MOVING_DEEDS: Deeds = [
  [24, moveTask],
  [5, moveComment],
  [8, changeToken],
];

/** A project. A staying world has only one, so no number is drawn for it. */
export function someProject({ world, random }: Stage): string {
  const count = PROJECTS[world.kind].length;
  // Most tasks belong to a connected project.
  return count === 1 ? "1" : (choose(["1", "1", "2", "2", "3"], random) ?? "1");
}

async function moveTask(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  // Archived tasks are moved as well.
  const task = choose(random() < 0.9 ? await livingTasks(stage) : await world.tasks(), random);
  const projectId = someProject(stage);
  if (task === undefined || task.projectId === projectId) return;
  const comments = (await world.comments()).filter(({ taskId }) => taskId === task.id);
  history.tell(
    `app: task ${task.id} with ${String(comments.length)} comments is moved to project ${projectId}`,
  );
  // The old issue is closed, the new one is created or reopened, and each comment is created there.
  history.takesCalls(3 + 2 * comments.length);
  await world.editTask(task.id, { projectId });
}

async function moveComment(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  const comment = choose(await world.comments(), random);
  const task = choose(await livingTasks(stage), random);
  if (comment === undefined || task === undefined || comment.taskId === task.id) return;
  history.tell(`app: comment ${comment.id} is put below task ${task.id}`);
  history.takesCalls(2);
  await world.moveComment(comment.id, task.id);
}

function changeToken({ world, github, history, random }: Stage): Promise<void> {
  const standing = random() < 0.5 ? "it works" : choose(TOKEN_STANDINGS, random);
  if (standing !== undefined) {
    history.tell(`mona's own token: ${standing}`);
    // The identities of the token and of the account are read once each.
    history.takesCalls(2);
    world.tokens.put(standing, github);
  }
  return Promise.resolve();
}
