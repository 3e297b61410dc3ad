/** Checks the end of an interleaved history: one counterpart each, no lost value, no open event, equal sides. */
import type { GitHubSimulator } from "../github/index.ts";
import { withoutToken } from "../simulation/history/index.ts";
import type { ConnectedSite, Sql } from "../simulation/world/index.ts";
import { type WriteLog, type Field, thingAtGitHub } from "./deeds.ts";

export const INTERLEAVING_INVARIANTS = {
  unpaired: "Every record of a connected scope has one active lane there, and a counterpart.",
  doubled:
    "Each resource has one record, each record has one resource, and each open resource has a record.",
  differing: "Both sides have the same content.",
  lost: "Each field has the last value of a side that edited it.",
  stuck: "Every event has ended, and every captured write is drained.",
} as const;

const FIELDS: readonly Field[] = ["title", "markdown"];

export type InterleavingInvariant = keyof typeof INTERLEAVING_INVARIANTS;
export type InterleavingVerdict = Readonly<Record<InterleavingInvariant, readonly string[]>>;

interface RecordRow {
  readonly record: string;
  readonly project: string;
  readonly title: string | null;
  readonly markdown: string;
  readonly done: boolean | null;
}

interface LaneRow {
  readonly record: string | null;
  readonly connection_id: string;
  readonly resource_type: string;
  readonly external_id: string | null;
}

/** A counterpart's state at GitHub. */
interface Resource {
  readonly title: string | null;
  readonly body: string;
  readonly isOpen: boolean;
}

export async function judgeInterleaving(
  sql: Sql,
  github: GitHubSimulator,
  places: readonly ConnectedSite[],
  deeds: WriteLog,
): Promise<InterleavingVerdict> {
  const records = await sql<RecordRow>(`
    select 'tasks:' || id as record, project_id::text as project, title, markdown, status = 'done' as done
    from tasks where deleted_at is null
    union all
    select 'comments:' || comments.id, project_id::text, null, comments.markdown, null
    from comments join tasks on tasks.id = task_id where deleted_at is null`);
  const lanes = await sql<LaneRow>(`
    select record_type || ':' || record_id as record, connection_id::text, resource_type, external_id
    from tandem.lanes where tombstone_event is null`);
  const [left] = await sql<{ events: string[]; changes: string }>(`
    select (select array_agg(state || ' ' || reason || ' ' || record_type || ':' || coalesce(record_id, ''))
              from tandem.events_live) as events,
      (select count(*)::text from tandem.changes) as changes`);
  const verdict: Record<InterleavingInvariant, string[]> = {
    unpaired: [],
    doubled: [],
    differing: [],
    lost: [],
    stuck: [...(left?.events ?? [])],
  };
  if (left?.changes !== "0") verdict.stuck.push(`${left?.changes ?? ""} captured writes`);
  for (const record of records) judgeRecord(record, lanes, github, places, deeds, verdict);
  judgeResources(lanes, github, places, verdict);
  return verdict;
}

function judgeRecord(
  row: RecordRow,
  lanes: readonly LaneRow[],
  github: GitHubSimulator,
  places: readonly ConnectedSite[],
  deeds: WriteLog,
  verdict: Record<InterleavingInvariant, string[]>,
): void {
  const { record, project, title, markdown, done } = row;
  const own = lanes.filter((lane) => lane.record === record);
  const place = places.find((one) => one.project === project);
  if (place === undefined) {
    if (own.length > 0)
      verdict.doubled.push(`${record} has a lane although its scope is not connected`);
    return;
  }
  const [lane] = own;
  if (lane === undefined) {
    verdict.unpaired.push(`${record} has no lane`);
    return;
  }
  if (own.length > 1 || lane.connection_id !== place.connection) {
    verdict.doubled.push(`${record} has ${String(own.length)} lanes, or one in another connection`);
    return;
  }
  const resource = resourceOf(lane, place, github);
  if (resource === null) {
    verdict.unpaired.push(`${record} has no counterpart`);
    return;
  }
  const theirs = `${resource.title ?? ""} | ${resource.body} | ${String(resource.isOpen)}`;
  const ours = `${title ?? ""} | ${markdown} | ${String(done !== true)}`;
  if (ours !== theirs) verdict.differing.push(`${record}: ${ours} <> ${theirs}`);
  const counterpart = thingAtGitHub(place.repository, lane.resource_type, lane.external_id);
  for (const field of FIELDS) {
    const said = [deeds.last(record, field), deeds.last(counterpart, field)].filter(
      (value) => value !== null,
    );
    if (said.length === 0 || said.includes(row[field] ?? "")) continue;
    verdict.lost.push(`${record}: ${field} is "${row[field] ?? ""}", not ${said.join(" or ")}`);
  }
}

function resourceOf(
  { resource_type: type, external_id: id }: LaneRow,
  { repository }: ConnectedSite,
  github: GitHubSimulator,
): Resource | null {
  if (type === "issue") {
    const issue = github.issues(repository).find(({ number }) => String(number) === id);
    if (issue === undefined) return null;
    const { title, body, state } = issue;
    return { title, body: withoutToken(body), isOpen: state === "open" };
  }
  const comment = github.comments(repository).find((one) => String(one.id) === id);
  return comment === undefined
    ? null
    : { title: null, body: withoutToken(comment.body), isOpen: true };
}

/** Open issues and their comments have a record each. */
function judgeResources(
  lanes: readonly LaneRow[],
  github: GitHubSimulator,
  places: readonly ConnectedSite[],
  verdict: Record<InterleavingInvariant, string[]>,
): void {
  for (const { repository, connection } of places) {
    const here = lanes.filter((lane) => lane.connection_id === connection && lane.record !== null);
    const ids = (type: string) =>
      here.filter((lane) => lane.resource_type === type).map((lane) => lane.external_id ?? "");
    const issues = new Set(ids("issue"));
    const comments = new Set(ids("issue_comment"));
    for (const { number, state, title } of github.issues(repository)) {
      if (state === "closed") continue;
      if (!issues.has(String(number))) verdict.doubled.push(`issue "${title}" has no record`);
      for (const comment of github.comments(repository, number)) {
        if (comments.has(String(comment.id))) continue;
        verdict.doubled.push(`comment "${withoutToken(comment.body)}" has no record`);
      }
    }
    if (issues.size + comments.size < here.filter((lane) => lane.external_id !== null).length) {
      verdict.doubled.push(`${repository}: a resource has two records`);
    }
  }
}
