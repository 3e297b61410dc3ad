/** The stories against the emulated GitHub: webhooks and polls, each kind of edit, in both directions. */
import { deepStrictEqual as equal } from "node:assert";
import { withoutToken } from "../../src/testing/simulation/history/history.ts";
import { until } from "../processes/crash/until.ts";
import type { EmulatedGitHub } from "./emulated-github.ts";
import { type EmulatedSite, openEmulatedSite, type Way } from "./emulated-site.ts";

export interface Story {
  readonly name: string;
  readonly repository: string;
  play(github: EmulatedGitHub): Promise<void>;
}

/** Steps of one story; each waits until both sides say the same. */
const STEPS: readonly [string, (site: EmulatedSite) => Promise<unknown>][] = [
  ["an issue is opened there", ({ there }) => there.openIssue({ title: "One" })],
  ["a task is made here", async ({ sql }) => add(sql, "Two")],
  ["the first is edited here", ({ sql }) => edit(sql, "title = 'One, here'", "One")],
  ["the second is edited there", ({ there }) => there.editIssue(2, { title: "Two, there" })],
  ["both bodies are written", writeBoth],
  ["a comment is written there", ({ there }) => there.comment(1, "From there")],
  ["a comment is written here", ({ sql }) => comment(sql, "Two, there", "From here")],
  ["each comment is edited on the other side", editComments],
  ["an issue is closed there", ({ there }) => there.editIssue(1, { state: "closed" })],
  ["a task is done here", ({ sql }) => edit(sql, "status = 'done'", "Two, there")],
  ["both are opened again", reopenBoth],
  [
    "a comment is deleted here",
    ({ sql }) => sql("delete from comments where markdown like 'From here%'"),
  ],
  ["a comment is deleted there", deleteThere],
  ["a task is deleted here", ({ sql }) => edit(sql, "deleted_at = now()", "Two, there")],
];

export const STORIES: readonly Story[] = (["webhooks", "polling"] as const).flatMap((way) => [
  {
    name: `both directions, by ${way}`,
    repository: `both-${way}`,
    play: (github: EmulatedGitHub) => playSteps(github, `both-${way}`, way),
  },
  {
    name: `backfill, by ${way}`,
    repository: `backfill-${way}`,
    play: (github: EmulatedGitHub) => playBackfill(github, `backfill-${way}`, way),
  },
]);

async function playSteps(github: EmulatedGitHub, repository: string, way: Way): Promise<void> {
  const site = await openEmulatedSite(github, repository, way);
  try {
    for (const [what, act] of STEPS) {
      await act(site);
      await agreed(site, what);
    }
    const issues = await site.there.issues();
    equal(issues.map(({ state }) => state).sort(), ["closed", "open"]);
    // Comments of both were deleted, but for the one that says why an issue was closed.
    equal((await site.there.comments(1)).length, 0);
    equal(await site.troubles(), []);
  } finally {
    await site.close();
  }
}

async function playBackfill(github: EmulatedGitHub, repository: string, way: Way): Promise<void> {
  const count = 130;
  const site = await openEmulatedSite(github, repository, way, async ({ there, sql }) => {
    for (let number = 1; number <= count; number += 1) {
      await there.openIssue({ title: `Issue ${String(number)}` });
    }
    await there.comment(count, "On the last page");
    await add(sql, "Only here");
  });
  try {
    await site.backfill();
    await agreed(site, "everything is backfilled");
    const [tasks] = await site.sql<{ count: number }>("select count(*)::int from tasks");
    equal(tasks, { count: count + 1 });
    equal(await site.troubles(), []);
  } finally {
    await site.close();
  }
}

/** Waits until nothing is under way, and both sides say the same. */
async function agreed(site: EmulatedSite, what: string): Promise<void> {
  let [here, there]: [readonly string[], readonly string[]] = [[], []];
  await until(
    what,
    async () => {
      // A look at the other side costs requests, and there is a budget of them.
      if (!(await isQuiet(site))) return false;
      [here, there] = [await tasksOf(site), await issuesOf(site)];
      return JSON.stringify(here) === JSON.stringify(there) && (await isQuiet(site));
    },
    async () => {
      const why = { troubles: await site.troubles(), waits: await site.waits() };
      return JSON.stringify({ ...differing(here, there), ...why });
    },
  );
}

/** The entries that only one side has. */
function differing(here: readonly string[], there: readonly string[]): object {
  return {
    onlyHere: here.filter((said) => !there.includes(said)),
    onlyThere: there.filter((said) => !here.includes(said)),
  };
}

async function isQuiet({ sql }: EmulatedSite): Promise<boolean> {
  const [left] = await sql<{ count: number }>(`
    select ((select count(*) from tandem.changes)
      + (select count(*) from tandem.events_live where state in ('queued', 'processing')))::int as count`);
  return left?.count === 0;
}

async function tasksOf({ sql }: EmulatedSite): Promise<readonly string[]> {
  const rows = await sql<{ said: string }>(`
    select title || ' | ' || markdown || ' | ' || case status when 'done' then 'closed' else 'open' end
      || ' | ' || coalesce((select string_agg(c.markdown, ', ' order by c.markdown)
        from comments c where c.task_id = t.id), '') as said
    from tasks t where deleted_at is null`);
  return rows.map(({ said }) => said).sort();
}

/** Issues whose task was deleted are closed as not planned, and are not compared. */
async function issuesOf({ there, sql }: EmulatedSite): Promise<readonly string[]> {
  const gone = await sql<{ number: number }>(`
    select external_id::int as number from tandem.lanes
    where resource_type = 'issue' and tombstone_side is not null`);
  const issues: string[] = [];
  for (let page = 1; ; page += 1) {
    const found = await there.issues(page);
    for (const { number, title, body, state, comments } of found) {
      if (gone.some((lane) => lane.number === number)) continue;
      const said = comments === 0 ? [] : await there.comments(number);
      const bodies = said.map((comment) => withoutToken(comment.body)).sort();
      issues.push(`${title} | ${withoutToken(body ?? "")} | ${state} | ${bodies.join(", ")}`);
    }
    if (found.length < 100) return issues.sort();
  }
}

type Sql = EmulatedSite["sql"];

async function add(sql: Sql, title: string): Promise<void> {
  await sql("insert into tasks (project_id, title) values (1, $1)", [title]);
}

async function edit(sql: Sql, assignment: string, title: string): Promise<void> {
  const rows = await sql(`update tasks set ${assignment} where title = $1 returning id`, [title]);
  equal(rows.length, 1);
}

async function comment(sql: Sql, title: string, body: string): Promise<void> {
  await sql(
    "insert into comments (task_id, author_id, markdown) select id, 1, $2 from tasks where title = $1",
    [title, body],
  );
}

async function writeBoth({ sql, there }: EmulatedSite): Promise<void> {
  await edit(sql, "markdown = 'Body from here'", "One, here");
  await there.editIssue(2, { body: "Body from there" });
}

async function editComments({ sql, there }: EmulatedSite): Promise<void> {
  await sql(
    "update comments set markdown = 'From there, edited here' where markdown = 'From there'",
  );
  const [ours] = await there.comments(2);
  if (ours === undefined) throw new Error("the comment from here is not there");
  await there.editComment(ours.id, ours.body.replace("From here", "From here, edited there"));
}

async function reopenBoth({ sql, there }: EmulatedSite): Promise<void> {
  await there.editIssue(2, { state: "open" });
  await edit(sql, "status = 'todo'", "One, here");
}

async function deleteThere({ there, sql, sweep }: EmulatedSite): Promise<void> {
  for (const { id } of await there.comments(1)) await there.deleteComment(id);
  // A poll cannot see what is missing. A sweep does, half a minute after the last news of it.
  await until("a sweep finds the comment missing", async () => {
    await sweep();
    return (await sql("select 1 from comments where markdown like 'From there%'")).length === 0;
  });
}
