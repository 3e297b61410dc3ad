/** The end of a history: do both sides agree, was anything lost, doubled, or left behind? */
import type { GitHubSimulator } from "../github/index.ts";
import { TEST_REPOSITORY } from "../test-tandem.ts";
import type { Sql } from "./edits.ts";
import { type History, withoutToken } from "./history.ts";

export interface Verdict {
  /** Pairings whose sides differ, in words. */
  readonly differing: readonly string[];
  /** Edits that are neither final nor superseded nor named in a conflict. */
  readonly lost: readonly string[];
  /** Records or resources that have more than one counterpart, or none. */
  readonly duplicates: readonly string[];
  /** Events that are not terminal, and captured writes that were not drained. */
  readonly stuck: readonly string[];
}

interface Pair {
  readonly type: string;
  readonly external: string | null;
  readonly record: string | null;
  readonly base: Readonly<Record<string, unknown>> | null;
  readonly copy: Readonly<Record<string, unknown>> | null;
}

type Side = Readonly<Record<string, string>>;

/** Judges a history that has come to rest. */
export async function judge(sql: Sql, github: GitHubSimulator, history: History): Promise<Verdict> {
  const pairs = await sql<Pair>(`
    select resource_type as type, external_id as external, record_id as record, base, copy
    from tandem.lanes join tandem.integration_records using (id)
    where tombstone_event is null order by id`);
  const records = await recordsOf(sql);
  const resources = resourcesOf(github);
  const differing: string[] = [];
  for (const pair of pairs) {
    const record = records.get(`${pair.type}:${pair.record ?? ""}`);
    const resource = resources.get(`${pair.type}:${pair.external ?? ""}`);
    const name = `${pair.type} ${pair.external ?? "?"} and record ${pair.record ?? "?"}`;
    if (record === undefined || resource === undefined) {
      differing.push(`${name}: one side is missing`);
      continue;
    }
    for (const [field, value] of Object.entries(resource)) {
      const sides = [record[field], pair.base?.[field], pair.copy?.[field]];
      if (sides.every((side) => side === value)) continue;
      differing.push(
        `${name}: ${field} is ${JSON.stringify(value)}; record, base, copy ${JSON.stringify(sides)}`,
      );
    }
  }
  return {
    differing,
    lost: await lostEdits(sql, history, resources),
    duplicates: doubled(pairs, records, resources, github),
    stuck: await leftBehind(sql),
  };
}

async function recordsOf(sql: Sql): Promise<ReadonlyMap<string, Side>> {
  const records = new Map<string, Side>();
  const tasks = await sql<{ id: string; title: string; markdown: string; status: string }>(
    "select id::text, title, markdown, status from tasks where deleted_at is null",
  );
  for (const { id, title, markdown, status } of tasks) {
    const state = status === "done" ? "closed" : "open";
    records.set(`issue:${id}`, { title, body: markdown, state });
  }
  const comments = await sql<{ id: string; markdown: string }>(
    "select id::text, markdown from comments",
  );
  for (const { id, markdown } of comments) records.set(`issue_comment:${id}`, { body: markdown });
  return records;
}

/** Resources without the surplus that the sweep closed. */
function resourcesOf(github: GitHubSimulator): ReadonlyMap<string, Side> {
  const resources = new Map<string, Side>();
  for (const { number, title, body, state } of github.issues(TEST_REPOSITORY)) {
    resources.set(`issue:${String(number)}`, { title, body: withoutToken(body), state });
  }
  for (const { id, body } of github.comments(TEST_REPOSITORY)) {
    resources.set(`issue_comment:${String(id)}`, { body: withoutToken(body) });
  }
  return resources;
}

function doubled(
  pairs: readonly Pair[],
  records: ReadonlyMap<string, Side>,
  resources: ReadonlyMap<string, Side>,
  github: GitHubSimulator,
): readonly string[] {
  const found: string[] = [];
  for (const name of records.keys()) {
    const count = pairs.filter((pair) => `${pair.type}:${pair.record ?? ""}` === name).length;
    if (count !== 1) found.push(`record of ${name} has ${String(count)} pairings`);
  }
  for (const name of resources.keys()) {
    const count = pairs.filter((pair) => `${pair.type}:${pair.external ?? ""}` === name).length;
    const closedSurplus =
      count === 0 && wasClosedAsSurplus(github, name.startsWith("issue:") ? name.slice(6) : "");
    if (count !== 1 && !closedSurplus) found.push(`${name} has ${String(count)} pairings`);
  }
  return found;
}

function wasClosedAsSurplus(github: GitHubSimulator, number: string): boolean {
  const issue = github.issues(TEST_REPOSITORY).find((each) => String(each.number) === number);
  return issue?.state === "closed" && (issue.body ?? "").includes("<!-- tandem:");
}

async function leftBehind(sql: Sql): Promise<readonly string[]> {
  const live = await sql<{ state: string; reason: string; error: { code?: string } | null }>(
    "select state, reason, error from tandem.events_live",
  );
  const [undrained] = await sql<{ count: string }>(
    "select count(*)::text as count from tandem.changes",
  );
  return [
    ...live.map(({ state, reason, error }) => `${state} ${reason} ${error?.code ?? ""}`),
    ...(undrained?.count === "0" ? [] : [`${undrained?.count ?? "?"} captured writes`]),
  ];
}

/**
 * An edit is lost when it is the last of its side to a field, was not taken by the other side at
 * any time, is not what the field says now, and no conflict names it. A remote edit that Tandem
 * was never told of, for our own write covered it and its webhook was lost, cannot be known.
 */
async function lostEdits(
  sql: Sql,
  history: History,
  resources: ReadonlyMap<string, Side>,
): Promise<readonly string[]> {
  const named = new Set<unknown>();
  const conflicts = await sql<{ conflicts: readonly { lost: unknown }[] }>(
    "select conflicts from tandem.events where conflicts <> '[]'",
  );
  for (const row of conflicts) for (const { lost } of row.conflicts) named.add(lost);
  const shown = new Set(
    (await sql<{ value: string }>("select value from simulation_shown")).map(({ value }) => value),
  );
  const lost: string[] = [];
  for (const [key, { local, localPending, remote }] of history.fields()) {
    const [type = "", id = "", field = ""] = key.split(":");
    const name = `${type === "comment" ? "issue_comment" : type}:${id}`;
    const final = resources.get(name)?.[field];
    // Edited before it was paired: the create carried it, and the pair's own fields are compared.
    if (final === undefined) continue;
    if (local !== null && localPending && final !== local && !named.has(local)) {
      lost.push(`the app's ${key} = ${local}; final ${final}`);
    }
    if (remote === null || final === remote || shown.has(remote) || named.has(remote)) continue;
    if (history.wasTold(remote)) lost.push(`GitHub's ${key} = ${remote}; final ${final}`);
  }
  return lost;
}
