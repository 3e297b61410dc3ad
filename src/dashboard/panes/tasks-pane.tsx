/** The demo's left pane: the sample app's task list, as its users see it. */
import type { DemoPair, DemoState, SampleTask, TaskStatus } from "../../demo/api-types.ts";
import { type Difference, placeHash, send } from "../data/index.ts";
import { Icon } from "../elements/index.ts";
import { Card } from "./card.tsx";
import { CommentThread } from "./comment-thread.tsx";
import { NewItem, TextForm } from "./text-form.tsx";

const STATUS_NAMES: Readonly<Record<TaskStatus, string>> = {
  backlog: "Backlog",
  todo: "To do",
  doing: "Doing",
  review: "In review",
  done: "Done",
};

export interface PaneProps {
  readonly demo: DemoState;
  readonly differences: readonly Difference[];
  readonly failed: (error: unknown) => void;
}

export function TasksPane({ demo, differences, failed }: PaneProps) {
  return (
    <section class="pane tasks" aria-labelledby="tasks-title">
      <div class="pane-head">
        <h2 id="tasks-title">
          Your app <span class="faint">tasks in Postgres</span>
        </h2>
        <NewItem
          name="task"
          create={(title, text) => send("POST", "/demo/app/tasks", { title, markdown: text })}
          failed={failed}
        />
      </div>
      <ol class="pane-body cards">
        {demo.tasks.map((task, index) => (
          <TaskCard
            key={task.id}
            task={task}
            statuses={demo.statuses}
            pair={demo.pairs.find((pair) => pair.task === task.id)}
            difference={differences.find((each) => each.task === task.id)}
            first={index === 0}
            last={index === demo.tasks.length - 1}
            failed={failed}
          />
        ))}
        {demo.tasks.length === 0 ? <li class="empty">No tasks.</li> : null}
      </ol>
    </section>
  );
}

function TaskCard({
  task,
  statuses,
  pair,
  difference,
  first,
  last,
  failed,
}: {
  readonly task: SampleTask;
  readonly statuses: readonly TaskStatus[];
  readonly pair: DemoPair | undefined;
  readonly difference: Difference | undefined;
  readonly first: boolean;
  readonly last: boolean;
  readonly failed: (error: unknown) => void;
}) {
  const path = `/demo/app/tasks/${task.id}`;
  const move = (direction: "up" | "down"): void => {
    send("POST", `${path}/move`, { direction }).catch(failed);
  };
  return (
    <Card
      id={`task-${task.id}`}
      name={`task ${task.id}`}
      title={task.title}
      muted={task.status === "done"}
      content={[task.title, task.markdown, task.status, task.comments]}
      comments={task.comments.length}
      difference={difference?.what}
      lead={
        <select
          class={`status status-${task.status}`}
          aria-label={`Status of task ${task.id}`}
          value={task.status}
          onChange={(event) => {
            send("PATCH", path, { status: event.currentTarget.value }).catch(failed);
          }}
        >
          {statuses.map((status) => (
            <option key={status} value={status}>
              {STATUS_NAMES[status]}
            </option>
          ))}
        </select>
      }
      meta={
        <>
          <span>task {task.id}</span>
          {task.owner === null ? null : <span>{task.owner}</span>}
          {pair === undefined ? null : (
            <a href={`#issue-${pair.issue}`} onClick={jump}>
              #{pair.issue}
            </a>
          )}
        </>
      }
      extra={
        <>
          <span class="moves">
            <button
              type="button"
              class="quiet square"
              disabled={first}
              aria-label={`Move task ${task.id} up`}
              onClick={() => move("up")}
            >
              <Icon name="up" />
            </button>
            <button
              type="button"
              class="quiet square"
              disabled={last}
              aria-label={`Move task ${task.id} down`}
              onClick={() => move("down")}
            >
              <Icon name="open" />
            </button>
          </span>
          <a href={placeHash({ at: "explain", type: "tasks", id: task.id })}>Explain</a>
          <button
            type="button"
            class="quiet danger"
            aria-label={`Delete task ${task.id}`}
            onClick={() => void send("DELETE", path).catch(failed)}
          >
            Delete
          </button>
        </>
      }
    >
      <TextForm
        title={task.title}
        text={task.markdown}
        save={(changes) => {
          const { title, text } = changes;
          return send("PATCH", path, { title, markdown: text });
        }}
        failed={failed}
      />
      <CommentThread
        comments={task.comments.map(({ id, author, markdown }) => ({ id, author, text: markdown }))}
        add={(text) => send("POST", `${path}/comments`, { markdown: text })}
        edit={(id, text) => send("PATCH", `/demo/app/comments/${id}`, { markdown: text })}
        remove={(id) => send("DELETE", `/demo/app/comments/${id}`)}
        failed={failed}
      />
    </Card>
  );
}

/** Scrolls to the counterpart's card without changing the page's address. */
export function jump(event: { preventDefault(): void; currentTarget: HTMLAnchorElement }): void {
  event.preventDefault();
  const card = document.getElementById(event.currentTarget.hash.slice(1));
  card?.scrollIntoView({ block: "center" });
  card?.querySelector<HTMLElement>("button.card-title")?.focus();
}
