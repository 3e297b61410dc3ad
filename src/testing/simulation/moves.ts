/** What people do besides in a moving world: they put tasks and comments elsewhere, and have tokens. */
import { PROJECTS } from "./places.ts";
import { choose, type Deeds, livingTasks, type Stage } from "./stage.ts";
import { TOKEN_STANDINGS } from "./own-tokens.ts";

export const MOVING_DEEDS: Deeds = [
  [24, moveTask],
  [5, moveComment],
  [8, changeToken],
];

/** Some project; in a world that stays there is one, and nothing is drawn for it. */
export function someProject({ world, random }: Stage): string {
  const count = PROJECTS[world.kind].length;
  // Most of what people plan is somewhere.
  return count === 1 ? "1" : (choose(["1", "1", "2", "2", "3"], random) ?? "1");
}

async function moveTask(stage: Stage): Promise<void> {
  const { world, history, random } = stage;
  // What is archived is moved as well.
  const task = choose(random() < 0.9 ? await livingTasks(stage) : await world.tasks(), random);
  const projectId = someProject(stage);
  if (task === undefined || task.projectId === projectId) return;
  const comments = (await world.comments()).filter(({ taskId }) => taskId === task.id);
  history.tell(
    `app: task ${task.id} with ${String(comments.length)} comments goes to project ${projectId}`,
  );
  // It is closed here and made or opened there, and each comment is made there.
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
    // Whose it is, and whose the account's own is, is asked once.
    history.takesCalls(2);
    world.tokens.put(standing, github);
  }
  return Promise.resolve();
}
