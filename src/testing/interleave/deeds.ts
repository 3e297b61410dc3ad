/** The writes of people in an interleaved history, and the values that its end must therefore show. */
import type pg from "pg";
import type { Random } from "../../model/clock.ts";
import type { GitHubSimulator } from "../github/index.ts";
import { keepingToken } from "../simulation/history/index.ts";
import type { ConnectedSite } from "../simulation/world/index.ts";

export type Field = "title" | "markdown";

/** The records and issues that people know, and their last writes. */
export class WriteLog {
  readonly tasks: string[] = [];
  readonly comments: string[] = [];
  readonly #last = new Map<string, string>();
  count = 0;
  #values = 0;

  /** A value that was never written before. */
  fresh(what: string): string {
    this.#values += 1;
    return `${what} ${String(this.#values)}.`;
  }

  /** @param thing `tasks:1` or `comments:1`; at GitHub the result of `thingAtGitHub`. */
  note(thing: string, field: Field, value: string): void {
    this.count += 1;
    this.#last.set(`${thing} ${field}`, value);
  }

  /** The last value that people wrote to a field on that side. */
  last(thing: string, field: Field): string | null {
    return this.#last.get(`${thing} ${field}`) ?? null;
  }
}

export function thingAtGitHub(repository: string, type: string, id: unknown): string {
  return `${repository} ${type} ${String(id)}`;
}

/** A person of the app writes in a transaction of three statements. */
export async function writeInApp(pool: pg.Pool, deeds: WriteLog, random: Random): Promise<void> {
  const plan = planWrite(deeds, random);
  const client = await pool.connect();
  try {
    await client.query("begin");
    const noted = await plan(client);
    await client.query("commit");
    noted();
  } catch {
    // After a deadlock the person's transaction has written nothing.
    await client.query("rollback");
  } finally {
    client.release();
  }
}

type Write = (client: pg.PoolClient) => Promise<() => void>;

function planWrite(deeds: WriteLog, random: Random): Write {
  const task = choose(deeds.tasks, random);
  const comment = choose(deeds.comments, random);
  const dice = random();
  if (task === undefined || dice < 0.25)
    return addTask(deeds, String(1 + Math.floor(random() * 3)));
  if (dice < 0.55) return addComment(deeds, task);
  if (dice < 0.75) return edit(deeds, "tasks", task, random() < 0.5 ? "title" : "markdown");
  if (dice < 0.85 && comment !== undefined) return edit(deeds, "comments", comment, "markdown");
  const project = String(1 + Math.floor(random() * 3));
  if (dice < 0.93) return run("update tasks set project_id = $1 where id = $2", [project, task]);
  const archived = random() < 0.5 ? "tandem.now()" : "null";
  return run(`update tasks set deleted_at = ${archived} where id = $1`, [task]);
}

function addTask(deeds: WriteLog, project: string): Write {
  return async (client) => {
    const title = deeds.fresh("Task");
    const { rows } = await client.query<{ id: string }>(
      "insert into tasks (project_id, owner_id, title, markdown) values ($1, 1, $2, '') returning id::text",
      [project, title],
    );
    // Other people may use the record only after the commit.
    return () => {
      for (const { id } of rows) {
        deeds.tasks.push(id);
        deeds.note(`tasks:${id}`, "title", title);
      }
    };
  };
}

function addComment(deeds: WriteLog, task: string): Write {
  return async (client) => {
    const text = deeds.fresh("Comment");
    const { rows } = await client.query<{ id: string }>(
      "insert into comments (task_id, author_id, markdown) values ($1, 1, $2) returning id::text",
      [task, text],
    );
    return () => {
      for (const { id } of rows) {
        deeds.comments.push(id);
        deeds.note(`comments:${id}`, "markdown", text);
      }
    };
  };
}

function edit(deeds: WriteLog, table: "tasks" | "comments", id: string, field: Field): Write {
  return async (client) => {
    const value = deeds.fresh("Edited");
    const done = await client.query(`update ${table} set ${field} = $1 where id = $2`, [value, id]);
    return () => {
      if (done.rowCount === 1) deeds.note(`${table}:${id}`, field, value);
    };
  };
}

function run(text: string, params: readonly unknown[]): Write {
  return async (client) => {
    await client.query(text, [...params]);
    return () => undefined;
  };
}

/** A person at GitHub opens, edits, or comments on an issue. */
export function writeAtGitHub(
  github: GitHubSimulator,
  places: readonly ConnectedSite[],
  deeds: WriteLog,
  random: Random,
): void {
  const mona = github.as("mona");
  const place = choose(places, random);
  if (place === undefined) return;
  const { repository } = place;
  const open = github.issues(repository).filter(({ state }) => state === "open");
  const issue = choose(open, random);
  if (issue === undefined || random() < 0.3) {
    const title = deeds.fresh("Issue");
    const { number } = mona.openIssue(repository, { title, body: "" });
    deeds.note(thingAtGitHub(repository, "issue", number), "title", title);
  } else if (random() < 0.5) {
    const text = deeds.fresh("Remark");
    const { id } = mona.comment(repository, issue.number, text);
    deeds.note(thingAtGitHub(repository, "issue_comment", id), "markdown", text);
  } else {
    const text = deeds.fresh("Body");
    mona.editIssue(repository, issue.number, { body: keepingToken(issue.body, text) });
    deeds.note(thingAtGitHub(repository, "issue", issue.number), "markdown", text);
  }
}

function choose<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)];
}
