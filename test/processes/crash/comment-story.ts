/** The same for cells about a comment: below a task and an issue that are paired, on either side. */
import { keepingToken, withoutToken } from "../../../src/testing/simulation/history/history.ts";
import type { Pair } from "./matrix.ts";
import { type Cell, isAdoption, isKept, isRemoval, unreachable } from "./matrix.ts";
import { REPOSITORY, type Site } from "./site.ts";
import { until } from "./until.ts";

const AS_IT_WAS = "As it was";
const EDITED = "Edited";

/** The part of the pair that stays: the issue and its task, each with one comment at most. */
interface Conversation {
  readonly number: number;
  readonly task: string;
}

/** Makes the issue with its task, and below them what is to be updated or deleted. */
export async function prepareComment(site: Site, cell: Cell, title: string): Promise<Pair> {
  const mona = site.github.as("mona");
  const { number } = mona.openIssue(REPOSITORY, { title, body: "" });
  await until(`${title} is paired`, async () => (await tasksOf(site, title)).length > 0);
  const found = isAdoption(cell.point) && unreachable(cell) === null;
  if (cell.action === "create" || found) {
    await until(`${title} has come to rest`, () => site.quiet());
    return { title, record: null, number };
  }
  mona.comment(REPOSITORY, number, AS_IT_WAS);
  const conversation = await conversationOf(site, title);
  await until(
    `the comment below ${title} is paired`,
    async () => (await rowsOf(site, conversation)).length > 0 && site.quiet(),
  );
  const [row] = await rowsOf(site, conversation);
  return { title, record: row?.id ?? null, number };
}

export async function editComment(
  site: Site,
  { direction, action }: Cell,
  { title }: Pair,
): Promise<void> {
  const conversation = await conversationOf(site, title);
  if (direction === "outbound") await editInApp(site, action, conversation);
  else editOnGitHub(site, action, conversation);
}

async function editInApp(site: Site, action: Cell["action"], { task }: Conversation) {
  switch (action) {
    case "create":
      await site.sql("insert into comments (task_id, markdown) values ($1, $2)", [task, AS_IT_WAS]);
      return;
    case "update":
      await site.sql("update comments set markdown = $2 where task_id = $1", [task, EDITED]);
      return;
    case "delete":
      await site.sql("delete from comments where task_id = $1", [task]);
      return;
    case "archive":
      throw new Error("the sample app archives no comment");
  }
}

function editOnGitHub(site: Site, action: Cell["action"], { number }: Conversation): void {
  const mona = site.github.as("mona");
  const id = site.github.comments(REPOSITORY, number)[0]?.id ?? 0;
  switch (action) {
    case "create":
      mona.comment(REPOSITORY, number, AS_IT_WAS);
      return;
    case "update":
      editText(site, number, EDITED);
      return;
    case "delete":
      mona.deleteComment(REPOSITORY, id);
      return;
    case "archive":
      throw new Error("GitHub archives no comment");
  }
}

/** Mona edits the comment; a token at its end stays where it is. */
export function editText(site: Site, number: number | null, text: string): void {
  const [comment] = site.github.comments(REPOSITORY, number ?? 0);
  const edited = keepingToken(comment?.body ?? null, text);
  site.github.as("mona").editComment(REPOSITORY, comment?.id ?? 0, edited);
}

/** The row of the comment below a task. */
export async function commentOf(site: Site, title: string): Promise<string | null> {
  const [row] = await rowsOf(site, await conversationOf(site, title));
  return row?.id ?? null;
}

/** The differences of the two sides; empty if each has one comment, or none, and both say the same. */
export async function differencesOfComment(
  site: Site,
  cell: Cell,
  { title, record }: Pair,
): Promise<readonly string[]> {
  const { action } = cell;
  const conversation = await conversationOf(site, title);
  const rows = await rowsOf(site, conversation);
  const comments = site.github.comments(REPOSITORY, conversation.number);
  const [row] = rows;
  const [comment] = comments;
  const there = isRemoval(action) ? 0 : 1;
  if (rows.length !== (isKept(cell) ? 1 : there) || comments.length !== there) {
    return [`${String(rows.length)} rows and ${String(comments.length)} comments`];
  }
  if (row === undefined || comment === undefined) return [];
  const text = withoutToken(comment.body);
  return [
    ...(row.markdown === text ? [] : [`the app says ${row.markdown}, GitHub ${text}`]),
    ...(action !== "update" || text === EDITED ? [] : [`the edit is lost: ${text}`]),
    ...(record === null || record === row.id ? [] : ["another record took its place"]),
    ...(row.external === String(comment.id) ? [] : [`paired with ${row.external ?? "nothing"}`]),
  ];
}

async function conversationOf(site: Site, title: string): Promise<Conversation> {
  const [task = ""] = await tasksOf(site, title);
  const issue = site.github.issues(REPOSITORY).find((one) => one.title === title);
  return { task, number: issue?.number ?? 0 };
}

async function tasksOf(site: Site, title: string): Promise<readonly string[]> {
  const rows = await site.sql<{ id: string }>("select id::text from tasks where title = $1", [
    title,
  ]);
  return rows.map(({ id }) => id);
}

function rowsOf(site: Site, { task }: Conversation) {
  return site.sql<{ id: string; markdown: string; external: string | null }>(
    `select comments.id::text, comments.markdown, lanes.external_id as external
     from comments
     left join tandem.lanes
       on lanes.record_type = 'comments' and lanes.record_id = comments.id::text
     where comments.task_id = $1`,
    [task],
  );
}
