/** A hand-written upsert: the app's row gets the job's content, and only the queue's order protects it. */
import type { Job } from "./peer.ts";

export const UPSERT = `
insert into tasks (external_id, project_id, title, markdown, status, modified_at)
values ($1, 1, $2, $3, $4, $5)
on conflict (external_id) do update
set
  title = excluded.title,
  markdown = excluded.markdown,
  status = excluded.status,
  modified_at = excluded.modified_at`;

export function valuesOf({ payload: { issue } }: Job): string[] {
  return [
    String(issue.number),
    issue.title,
    issue.body,
    issue.state === "closed" ? "done" : "todo",
    issue.updated_at,
  ];
}
