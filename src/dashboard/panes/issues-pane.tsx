/** The demo's right pane: the repository's issues. With the real GitHub they are read-only. */
import type { ComponentChildren } from "preact";
import type { DemoIssue, DemoPair } from "../../demo/api-types.ts";
import { Icon, WebLink } from "../elements/index.ts";
import { clockTime, type Difference, send } from "../data/index.ts";
import { Card } from "./card.tsx";
import { CommentThread } from "./comment-thread.tsx";
import { jump, type PaneProps } from "./tasks-pane.tsx";
import { NewItem, TextForm } from "./text-form.tsx";

export function IssuesPane({ demo, differences, failed }: PaneProps) {
  const simulated = demo.mode === "simulator";
  return (
    <section class="pane issues" aria-labelledby="issues-title">
      <div class="pane-head">
        <h2 id="issues-title">
          GitHub{" "}
          <span class="faint">
            {demo.repository}
            {simulated ? ", simulated" : ""}
          </span>
        </h2>
        {simulated ? (
          <NewItem
            name="issue"
            create={(title, text) => send("POST", "/demo/github/issues", { title, body: text })}
            failed={failed}
          />
        ) : (
          <WebLink to={demo.repository_url}>Open on GitHub</WebLink>
        )}
      </div>
      <ol class="pane-body cards">
        {demo.issues.toReversed().map((issue) => (
          <IssueCard
            key={issue.number}
            issue={issue}
            editable={simulated}
            pair={demo.pairs.find((pair) => pair.issue === issue.number)}
            difference={differences.find((each) => each.issue === issue.number)}
            failed={failed}
          />
        ))}
        {demo.issues.length === 0 ? <li class="empty">No issues.</li> : null}
      </ol>
    </section>
  );
}

function IssueCard({
  issue,
  editable,
  pair,
  difference,
  failed,
}: {
  readonly issue: DemoIssue;
  readonly editable: boolean;
  readonly pair: DemoPair | undefined;
  readonly difference: Difference | undefined;
  readonly failed: (error: unknown) => void;
}) {
  const path = `/demo/github/issues/${issue.number}`;
  const open = issue.state === "open";
  const actions: ComponentChildren = (
    <>
      <button
        type="button"
        class="small"
        aria-label={`${open ? "Close" : "Reopen"} issue ${issue.number}`}
        onClick={() => {
          send("PATCH", path, { state: open ? "closed" : "open" }).catch(failed);
        }}
      >
        {open ? "Close issue" : "Reopen issue"}
      </button>
      <button
        type="button"
        class="quiet danger"
        aria-label={`Delete issue ${issue.number}`}
        onClick={() => void send("DELETE", path).catch(failed)}
      >
        Delete
      </button>
    </>
  );
  return (
    <Card
      id={`issue-${issue.number}`}
      name={`issue ${issue.number}`}
      title={issue.title}
      muted={!open}
      content={[issue.title, issue.body, issue.state, issue.comments]}
      comments={issue.comments.length}
      difference={difference?.what}
      lead={
        <span class={`issue-state ${issue.state}`}>
          <Icon name={open ? "issueOpen" : "issueClosed"} />
          {open ? "Open" : "Closed"}
        </span>
      }
      meta={
        <>
          <span>#{issue.number}</span>
          <span>{issue.author}</span>
          {issue.updated_at === null ? null : (
            <span title={issue.updated_at}>{clockTime(issue.updated_at)}</span>
          )}
          {pair === undefined ? null : (
            <a href={`#task-${pair.task}`} onClick={jump}>
              task {pair.task}
            </a>
          )}
        </>
      }
      extra={editable ? actions : <WebLink to={issue.url}>Open on GitHub</WebLink>}
    >
      {editable ? (
        <TextForm
          title={issue.title}
          text={issue.body}
          save={({ title, text }) => send("PATCH", path, { title, body: text })}
          failed={failed}
        />
      ) : (
        <p class="text">{issue.body}</p>
      )}
      <CommentThread
        comments={issue.comments.map(({ id, author, body }) => ({ id, author, text: body }))}
        failed={failed}
        {...(editable
          ? {
              add: (text: string) => send("POST", `${path}/comments`, { body: text }),
              edit: (id: string, text: string) =>
                send("PATCH", `/demo/github/comments/${id}`, { body: text }),
              remove: (id: string) => send("DELETE", `/demo/github/comments/${id}`),
            }
          : {})}
      />
    </Card>
  );
}
