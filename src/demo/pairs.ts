/** The demo's queries on Tandem's views: the pairings, and the cached copies of issues. */
import type { Queryable } from "../store/database/index.ts";
import type { DemoIssue, DemoPair } from "./api-types.ts";

/** Pairs of tasks and issues, active ones first. */
export async function readPairs(database: Queryable): Promise<readonly DemoPair[]> {
  const { rows } = await database.query<DemoPair>(
    `select record_id as task, external_id::integer as issue, deleted as ended
     from tandem.github_issues
     where record_type = 'tasks' and record_id is not null and external_id is not null
     order by deleted, id`,
  );
  return rows;
}

/**
 * The issues and comments as Tandem last observed them. The demo shows these copies of the real GitHub
 * without another request.
 */
export async function readCachedIssues(
  database: Queryable,
  repository: string,
): Promise<readonly DemoIssue[]> {
  const { rows } = await database.query<DemoIssue>(
    `select
       issues.external_id::integer as number,
       coalesce(issues.title, '') as title,
       coalesce(issues.body, '') as body,
       coalesce(issues.state, 'open') as state,
       coalesce(issues.author ->> 'login', '') as author,
       null as updated_at,
       coalesce(issues.url, $1 || '/issues/' || issues.external_id) as url,
       coalesce(talk.comments, '[]') as comments
     from tandem.github_issues as issues
     left join lateral (
       select json_agg(
         json_build_object(
           'id', copies.external_id,
           'body', coalesce(copies.body, ''),
           'author', coalesce(copies.author ->> 'login', '')
         ) order by copies.id
       ) as comments
       from comments
       join tandem.github_issue_comments as copies
         on copies.record_type = 'comments' and copies.record_id = comments.id::text
       where comments.task_id::text = issues.record_id
         and not copies.deleted and copies.external_id is not null
     ) as talk on true
     where not issues.deleted and issues.external_id is not null
     order by issues.external_id::integer`,
    [`https://github.com/${repository}`],
  );
  return rows;
}
