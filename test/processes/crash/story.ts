/** The edit that a cell of the crash matrix is about, on either side, and what both say in the end. */
import { keepingToken, withoutToken } from "../../../src/testing/simulation/history/history.ts";
import {
  commentOf,
  differencesOfComment,
  editComment,
  editText,
  prepareComment,
} from "./comment-story.ts";
import {
  type CellAction,
  type Cell,
  isAdoption,
  isRemoval,
  nameOf,
  unreachable,
  type Pair,
} from "./matrix.ts";
import { REPOSITORY, type Site } from "./site.ts";
import { until } from "./until.ts";

/**
 * Makes what the edit needs: for an update or a delete a task and an issue that are paired, but where
 * the issue is to be found by its token.
 */
export async function prepare(site: Site, cell: Cell): Promise<Pair> {
  const title = nameOf(cell);
  if (cell.of === "comment") return prepareComment(site, cell, title);
  const found = isAdoption(cell.point) && unreachable(cell) === null;
  if (cell.action === "create" || found) {
    return { title, record: null, number: null };
  }
  const { number } = site.github.as("mona").openIssue(REPOSITORY, { title, body: "As it was" });
  await until(
    `${title} is paired`,
    async () => (await recordOf(site, title)) !== null && site.quiet(),
  );
  return { title, record: await recordOf(site, title), number };
}

/** Makes the edit: in the app, or as a person on GitHub. */
export async function edit(site: Site, cell: Cell, pair: Pair): Promise<void> {
  const { of, direction, action } = cell;
  if (of === "comment") await editComment(site, cell, pair);
  else if (direction === "outbound") await editInApp(site, action, pair);
  else editOnGitHub(site, action, pair);
  await site.github.idle();
}

async function editInApp(site: Site, action: CellAction, { title, record }: Pair): Promise<void> {
  switch (action) {
    case "create":
      await site.sql("insert into tasks (project_id, title) values (1, $1)", [title]);
      return;
    case "update":
      // Told by no webhook: the answer to our own write brings it.
      await unheard(site, () => {
        editBody(site, title, "Edited by Mona");
      });
      await site.sql("update tasks set title = title || ' edited' where id = $1", [record]);
      return;
    case "delete":
      await site.sql("delete from tasks where title = $1", [title]);
      return;
    case "archive":
      await site.sql("update tasks set deleted_at = now() where title = $1", [title]);
  }
}

function editOnGitHub(site: Site, action: CellAction, { title }: Pair): void {
  const mona = site.github.as("mona");
  const number = issuesOf(site, title)[0]?.number ?? 0;
  switch (action) {
    case "create":
      mona.openIssue(REPOSITORY, { title, body: "By Mona" });
      return;
    case "update":
      mona.editIssue(REPOSITORY, number, { title: `${title} edited` });
      return;
    case "delete":
      mona.deleteIssue(REPOSITORY, number);
      return;
    case "archive":
      throw new Error("GitHub archives no issue");
  }
}

/** Something happens at GitHub, and its webhooks are lost. */
export async function unheard(site: Site, happen: () => void): Promise<void> {
  site.github.faults.webhooks.drop = 1;
  happen();
  await site.github.idle();
  site.github.faults.webhooks.drop = 0;
}

/** Mona edits what a lost create has made. */
export function editFound(site: Site, { of }: Cell, { title, number }: Pair): void {
  if (of === "comment") editText(site, number, "Edited by Mona");
  else editBody(site, title, "Edited by Mona");
}

/** Edits once more within the second of the last edit, so that the content is read again. */
export async function editAgainAtOnce(site: Site, pair: Pair): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    const before = issuesOf(site, pair.title)[0]?.updatedAt;
    const { updatedAt } = editBody(site, pair.title, `Edited again, ${String(turn)}`);
    if (sameSecond(before, updatedAt)) break;
  }
  await site.github.idle();
}

function sameSecond(one: number | undefined, other: number): boolean {
  return one !== undefined && Math.floor(one / 1_000_000) === Math.floor(other / 1_000_000);
}

/** Mona edits an issue's body; a token at its end stays where it is. */
export function editBody(site: Site, title: string, body: string) {
  const [issue] = issuesOf(site, title);
  const edited = { body: keepingToken(issue?.body ?? null, body) };
  return site.github.as("mona").editIssue(REPOSITORY, issue?.number ?? 0, edited);
}

export function issuesOf(site: Site, title: string) {
  return site.github.issues(REPOSITORY).filter((issue) => issue.title.startsWith(title));
}

/** The record that the cell is about, with its type. */
export async function subjectOf(site: Site, { of }: Cell, { title }: Pair) {
  return of === "comment"
    ? { type: "comments", id: await commentOf(site, title) }
    : { type: "tasks", id: await recordOf(site, title) };
}

async function recordOf(site: Site, title: string): Promise<string | null> {
  const [row] = await site.sql<{ id: string }>("select id::text from tasks where title = $1", [
    title,
  ]);
  return row?.id ?? null;
}

interface Task {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly state: string;
  readonly deleted: boolean;
}

/** The differences of the two sides; empty if each has one thing, and both say the same. */
export async function differences(site: Site, cell: Cell, pair: Pair): Promise<readonly string[]> {
  if (cell.of === "comment") return differencesOfComment(site, cell, pair);
  const { direction, action } = cell;
  const { title, record } = pair;
  const tasks = await site.sql<Task>(
    `select id::text, title, markdown as body, deleted_at is not null as deleted,
       case status when 'done' then 'closed' else 'open' end as state
     from tasks where title like $1 || '%'`,
    [title],
  );
  const issues = issuesOf(site, title);
  const open = issues.filter(({ state }) => state === "open");
  if (isRemoval(action)) {
    const gone = direction === "inbound" ? issues.length === 0 : open.length === 0;
    const archived =
      direction === "inbound" || action === "archive"
        ? tasks.length === 1 && tasks[0]?.deleted === true
        : tasks.length === 0;
    return [
      ...(gone ? [] : ["the issue is still there"]),
      ...(archived ? [] : ["the task is still there"]),
    ];
  }
  const [task] = tasks;
  const [issue] = open;
  // A surplus issue is the sweep's business; until then the lowest number is the counterpart.
  if (task === undefined || issue === undefined || tasks.length > 1) {
    return [`${String(tasks.length)} tasks and ${String(open.length)} open issues`];
  }
  const wanted = action === "update" ? `${title} edited` : title;
  const app = `${task.title} | ${task.body} | ${task.state}`;
  const github = `${issue.title} | ${withoutToken(issue.body)} | ${issue.state}`;
  const lanes = await site.sql<{ external: string | null }>(
    "select external_id as external from tandem.lanes where record_type = 'tasks' and record_id = $1",
    [task.id],
  );
  return [
    ...(app === github ? [] : [`the app says ${app}, GitHub ${github}`]),
    ...(task.title === wanted ? [] : [`the edit is lost: ${task.title}`]),
    ...(record === null || record === task.id ? [] : ["another record took its place"]),
    ...(lanes.length === 1 && lanes[0]?.external === String(issue.number)
      ? []
      : [`paired with ${lanes.map(({ external }) => external ?? "nothing").join(", ")}`]),
  ];
}
