/**
 * The trouble buttons. Each triggers a named scenario that every integration meets sooner or later. Its
 * explanation says what to watch. In the end both sides must agree.
 */
import type { GitHubSimulator } from "../testing/github/index.ts";
import type { DemoPair, DemoTrouble, TroubleId } from "./api-types.ts";
import type { GitHubPane } from "./github-pane.ts";
import type { SampleApp } from "./sample-app.ts";
import type { WorkerSwitch } from "./worker-switch.ts";

export interface TroubleParts {
  readonly app: SampleApp;
  readonly worker: WorkerSwitch;
  readonly pairs: () => Promise<readonly DemoPair[]>;
  readonly pollNow: () => Promise<void>;
  /** The simulated GitHub; `null` with the real one, where these scenarios are not possible. */
  readonly github: {
    readonly simulator: GitHubSimulator;
    readonly pane: GitHubPane;
    readonly repository: string;
  } | null;
  /** Called after a change that the page should show. */
  readonly changed: () => void;
}

export interface Troubles {
  list(): readonly DemoTrouble[];
  /** `on` is for toggles. @throws NothingToEdit if a scenario finds no task to edit. */
  press(id: TroubleId, on: boolean): Promise<void>;
  stop(): void;
}

/** A scenario needs a task that is paired with an open issue. */
export class NothingToEdit extends Error {
  override readonly name = "NothingToEdit";
  constructor() {
    super("There is no task with an open issue to edit.");
  }
}

export const RATE_LIMIT_SECONDS = 15;

interface Scenario extends Pick<DemoTrouble, "id" | "group" | "label" | "explanation" | "kind"> {
  readonly press: (on: boolean) => Promise<void> | void;
  readonly isOn?: () => boolean;
  readonly isDisabled?: () => boolean;
  readonly until?: () => number | null;
}

export function createTroubles(parts: TroubleParts): Troubles {
  const limit = { until: null as number | null, timer: undefined as NodeJS.Timeout | undefined };
  const github = parts.github === null ? [] : scenariosOfGitHub(parts, parts.github, limit);
  const scenarios: readonly Scenario[] = [...github, ...scenariosOfWorker(parts)];
  return {
    list: () =>
      scenarios.map(({ id, group, label, explanation, kind, isOn, isDisabled, until }) => {
        const ends = until?.() ?? null;
        return {
          id,
          group,
          label,
          explanation,
          kind,
          on: isOn?.() ?? false,
          disabled: isDisabled?.() ?? false,
          until: ends === null ? null : new Date(ends).toISOString(),
        };
      }),
    async press(id, on) {
      await scenarios.find((scenario) => scenario.id === id)?.press(on);
      parts.changed();
    },
    stop: () => {
      clearTimeout(limit.timer);
    },
  };
}

function scenariosOfGitHub(
  parts: TroubleParts,
  { simulator, pane, repository }: NonNullable<TroubleParts["github"]>,
  limit: { until: number | null; timer: NodeJS.Timeout | undefined },
): readonly Scenario[] {
  const { webhooks, api } = simulator.faults;
  return [
    {
      id: "drop-webhooks",
      group: "webhooks",
      label: "Drop",
      explanation: "No webhook arrives. Edit an issue: the next poll finds it.",
      kind: "toggle",
      isOn: () => webhooks.drop > 0,
      press: (on) => {
        webhooks.drop = on ? 1 : 0;
      },
    },
    {
      id: "duplicate-webhooks",
      group: "webhooks",
      label: "Duplicate",
      explanation: "Every webhook arrives twice. Edit an issue: it is applied once.",
      kind: "toggle",
      isOn: () => webhooks.duplicate > 0,
      press: (on) => {
        webhooks.duplicate = on ? 1 : 0;
      },
    },
    {
      id: "reorder-webhooks",
      group: "webhooks",
      label: "Reorder",
      explanation: "Webhooks overtake each other. Edit an issue twice: the last edit stays.",
      kind: "toggle",
      isOn: () => webhooks.reorder > 0,
      press: (on) => {
        webhooks.reorder = on ? 1 : 0;
        webhooks.reorderByMs = { min: 100, max: 3_000 };
      },
    },
    {
      id: "api-down",
      group: "api",
      label: "Down",
      explanation: "The API answers 503. Edit a task: the app notices nothing, and the edit waits.",
      kind: "toggle",
      isOn: () => api.down,
      press: (on) => {
        api.down = on;
      },
    },
    {
      id: "rate-limit",
      group: "api",
      label: "Rate limit",
      explanation: `The API refuses everything for ${RATE_LIMIT_SECONDS} seconds, and a task is edited: the account pauses, and no attempt is counted.`,
      kind: "action",
      isOn: () => limit.until !== null,
      isDisabled: () => limit.until !== null,
      until: () => limit.until,
      press: async () => {
        const { task } = await anyPair(parts, pane);
        api.secondaryLimit = { retryAfterSeconds: RATE_LIMIT_SECONDS };
        limit.until = Date.now() + RATE_LIMIT_SECONDS * 1_000;
        limit.timer = setTimeout(() => {
          api.secondaryLimit = null;
          limit.until = null;
          parts.changed();
        }, RATE_LIMIT_SECONDS * 1_000);
        await parts.app.updateTask(task.id, {
          title: retitled(task.title, "while limited"),
        });
      },
    },
    {
      id: "lost-answer",
      group: "api",
      label: "Lose an answer",
      explanation:
        "A task is created; its issue is created too, but the response is lost. No second issue appears.",
      kind: "action",
      press: async () => {
        simulator.failNext({
          method: "POST",
          path: `/repos/${repository}/issues`,
          with: "lost-answer",
        });
        await parts.app.createTask({ title: retitled("Survive a lost answer", "sent") });
      },
    },
    {
      id: "two-edits-in-one-second",
      group: "edits",
      label: "Two in one second",
      explanation:
        "An issue is edited twice within one second, the resolution of GitHub's times: the second edit stays.",
      kind: "action",
      press: async () => {
        const { issue } = await anyPair(parts, pane);
        await startOfSecond();
        pane.editIssue(issue.number, { title: retitled(issue.title, "first edit") });
        pane.editIssue(issue.number, { title: retitled(issue.title, "second edit") });
      },
    },
    {
      id: "edit-both-sides",
      group: "edits",
      label: "Edit both sides",
      explanation:
        "Task and issue get different titles at the same time: one wins, the other is kept in the ledger as a conflict.",
      kind: "action",
      press: async () => {
        const { task, issue } = await anyPair(parts, pane);
        const written = parts.app.updateTask(task.id, {
          title: retitled(task.title, "the app"),
        });
        pane.editIssue(issue.number, { title: retitled(issue.title, "mona") });
        await written;
      },
    },
  ];
}

function scenariosOfWorker({ worker, pollNow }: TroubleParts): readonly Scenario[] {
  return [
    {
      id: "kill-worker",
      group: "worker",
      label: "Kill",
      explanation:
        "The worker dies in the middle of its work, as in a crash. Edit either side: it waits.",
      kind: "action",
      isDisabled: () => !worker.running,
      press: () => worker.kill(),
    },
    {
      id: "restart-worker",
      group: "worker",
      label: "Restart",
      explanation: "A new worker takes over once the leases of the dead one have ended.",
      kind: "action",
      isDisabled: () => worker.running,
      press: () => worker.restart(),
    },
    {
      id: "poll-now",
      group: "worker",
      label: "Poll now",
      explanation: "Asks GitHub for changes now, instead of at the next interval.",
      kind: "action",
      press: pollNow,
    },
  ];
}

/** The first task in the list with an open issue. */
async function anyPair(parts: TroubleParts, pane: GitHubPane) {
  const [tasks, pairs] = await Promise.all([parts.app.tasks(), parts.pairs()]);
  const issues = pane.issues();
  for (const task of tasks) {
    const pair = pairs.find((each) => each.task === task.id && !each.ended);
    const issue = issues.find((each) => each.number === pair?.issue && each.state === "open");
    if (issue !== undefined && task.status !== "done") return { task, issue };
  }
  throw new NothingToEdit();
}

/** The title with a note about its last editor, which replaces an earlier note. */
function retitled(title: string, note: string): string {
  const at = new Date().toISOString().slice(11, 19);
  return `${title.replace(/ \([^()]* \d\d:\d\d:\d\d\)$/, "")} (${note} ${at})`;
}

/** Waits for the start of a second, so that two edits fall into the same one. */
async function startOfSecond(): Promise<void> {
  const millis = Date.now() % 1_000;
  if (millis < 800) return;
  await new Promise((resolve) => setTimeout(resolve, 1_000 - millis));
}
