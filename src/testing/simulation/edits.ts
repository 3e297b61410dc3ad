/** What people do in a simulated history: random edits on both sides. */
import type { Random } from "../../model/clock.ts";
import type { GitHubSimulator } from "../github/index.ts";
import { TEST_REPOSITORY } from "../test-tandem.ts";
import type { History } from "./history.ts";

export type Sql = <T>(text: string, params?: unknown[]) => Promise<T[]>;

export interface Stage {
  readonly sql: Sql;
  readonly github: GitHubSimulator;
  readonly random: Random;
  readonly history: History;
}

const MOST_THINGS = 4;

/** One random edit by somebody, somewhere. */
export async function editSomething(stage: Stage): Promise<void> {
  const local = stage.random() < 0.5;
  await (local ? editLocally(stage) : editRemotely(stage));
}

async function editLocally(stage: Stage): Promise<void> {
  const { sql, random, history } = stage;
  const tasks = await sql<{ id: string; number: string | null }>(`
    select t.id::text, (select external_id from tandem.lanes
      where record_type = 'tasks' and record_id = t.id::text and tombstone_event is null) as number
    from tasks t where deleted_at is null order by t.id`);
  const chance = random();
  if (tasks.length < MOST_THINGS && chance < 0.2) {
    const title = nextValue(history, "title");
    await sql("insert into tasks (project_id, title, markdown) values (1, $1, '')", [title]);
    history.tell(`app: a task "${title}"`);
    return;
  }
  const task = choose(tasks, random);
  if (task === undefined) return;
  if (chance < 0.3) {
    const value = nextValue(history, "comment");
    await sql("insert into comments (task_id, markdown) values ($1, $2)", [task.id, value]);
    history.tell(`app: a comment "${value}" on task ${task.id}`);
  } else if (chance < 0.4) {
    await editComment(stage);
  } else if (chance < 0.5) {
    const status = choose(["todo", "doing", "done"], random);
    await sql("update tasks set status = $1 where id = $2", [status, task.id]);
    history.tell(`app: task ${task.id} is ${status ?? ""}`);
  } else {
    const column = random() < 0.5 ? "title" : "markdown";
    const value = nextValue(history, column);
    await sql(`update tasks set ${column} = $1 where id = $2`, [value, task.id]);
    const key = task.number === null ? `task:${task.id}` : `issue:${task.number}`;
    history.localEdit(`${key}:${column === "title" ? "title" : "body"}`, value);
  }
}

async function editComment({ sql, random, history }: Stage): Promise<void> {
  const comments = await sql<{ id: string; external: string | null }>(`
    select c.id::text, (select external_id from tandem.lanes
      where record_type = 'comments' and record_id = c.id::text and tombstone_event is null)
      as external
    from comments c order by c.id`);
  const comment = choose(comments, random);
  if (comment === undefined) return;
  const value = nextValue(history, "comment");
  await sql("update comments set markdown = $1 where id = $2", [value, comment.id]);
  const key = comment.external === null ? `record:${comment.id}` : `comment:${comment.external}`;
  history.localEdit(`${key}:body`, value);
}

async function editRemotely({ github, random, history }: Stage): Promise<void> {
  const mona = github.as("mona");
  const issues = github.issues(TEST_REPOSITORY);
  const chance = random();
  if (issues.length < MOST_THINGS && chance < 0.2) {
    mona.openIssue(TEST_REPOSITORY, { title: nextValue(history, "title"), body: "" });
    return;
  }
  const issue = choose(issues, random);
  if (issue === undefined) return;
  const key = `issue:${String(issue.number)}`;
  if (chance < 0.3) {
    mona.comment(TEST_REPOSITORY, issue.number, nextValue(history, "comment"));
  } else if (chance < 0.4) {
    const comment = choose(github.comments(TEST_REPOSITORY), random);
    if (comment === undefined) return;
    const value = nextValue(history, "comment");
    mona.editComment(TEST_REPOSITORY, comment.id, value);
    history.remoteEdit(`comment:${String(comment.id)}:body`, value);
  } else if (chance < 0.5) {
    if (issue.state === "open") mona.closeIssue(TEST_REPOSITORY, issue.number);
    else mona.reopenIssue(TEST_REPOSITORY, issue.number);
  } else {
    const field = random() < 0.5 ? "title" : "body";
    const value = nextValue(history, field);
    mona.editIssue(TEST_REPOSITORY, issue.number, { [field]: value });
    history.remoteEdit(`${key}:${field}`, value);
  }
}

function nextValue(history: History, what: string): string {
  return `${what} #${String(history.story.length)}.${String(history.edits)}.`;
}

export function choose<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)];
}
