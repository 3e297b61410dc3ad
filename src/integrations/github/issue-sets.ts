/**
 * Labels and assignees of an issue, changed one by one: a PATCH takes a whole set, and would take off what
 * others have put there since it was read.
 *
 * 1. GitHub adds labels in one request and removes each by its own; assignees it adds and removes in one.
 * 2. A label that is not there any more (404) is as it should be. An issue that is not there is told by
 *    whatever is asked of it next.
 */
import {
  canonical,
  type Content,
  isStringArray,
  type SetChange,
  type SetChanges,
} from "../../model/content.ts";
import type { Observation, ResourceRef } from "../../model/observation.ts";
import { IntegrationError } from "../integration.ts";
import { impossible } from "./errors.ts";
import { labelsShape, nameOfLabel } from "./payload.ts";
import { ISSUE } from "./resources.ts";
import type { UnsignedRequest } from "./transport.ts";
import { type Answer, instantOfDate, readAnswer } from "./transport.ts";

const NO_CHANGE: SetChange = { added: [], removed: [] };

/** What the requests have done, to be laid over an answer that does not show it yet. */
export interface ChangedSets {
  readonly labels: SetChange;
  /** The issue as the last request answered it; `null` where none answered with an issue. */
  readonly issue: Answer | null;
  /** The answer to the last change of labels: all labels, and no issue. `null` where none was changed. */
  readonly lastLabels: Answer | null;
}

/**
 * Sends what changes the sets.
 *
 * @throws IntegrationError `applied: "unknown"` where one failed after another was applied.
 */
export async function changeSets(
  send: (request: UnsignedRequest) => Promise<Answer>,
  issuePath: string,
  { labels = NO_CHANGE, assignees = NO_CHANGE }: SetChanges,
  wroteBefore: boolean,
  signal: AbortSignal | undefined,
): Promise<ChangedSets> {
  let wrote = wroteBefore;
  const write = async (request: UnsignedRequest): Promise<Answer> => {
    try {
      const answer = await send({ ...request, signal });
      wrote = true;
      return answer;
    } catch (error) {
      throw wrote ? partlyApplied(error) : error;
    }
  };
  const labelsUrl = `${issuePath}/labels`;
  for (const name of labels.removed) checkName(name);
  const body = { labels: labels.added };
  const add = { method: "POST", url: labelsUrl, body } as const;
  let lastLabels = labels.added.length === 0 ? null : await write(add);
  const there = lastLabels === null ? [] : labelsIn(lastLabels);
  const added = labels.added.filter((name) => there.includes(name));
  for (const name of labels.removed) {
    const url = `${labelsUrl}/${encodeURIComponent(name)}`;
    lastLabels = (await write({ method: "DELETE", url }).catch(unlessNotThere)) ?? lastLabels;
  }
  let issue: Answer | null = null;
  const url = `${issuePath}/assignees`;
  for (const [method, logins] of [
    ["POST", assignees.added],
    ["DELETE", assignees.removed],
  ] as const) {
    if (logins.length > 0) issue = await write({ method, url, body: { assignees: logins } });
  }
  return { labels: { added, removed: labels.removed }, issue, lastLabels };
}

function labelsIn(answer: Answer): readonly string[] {
  return readAnswer(labelsShape, answer).map(nameOfLabel);
}

/**
 * An issue as far as a change of its labels was answered: the labels that were there then, at the time of the
 * answer. Without it a refused read would leave the outcome of the change unknown for as long as the account
 * pauses, and a label that a person takes off meanwhile would be put back.
 */
export function observeLabels(
  ref: ResourceRef,
  { labels, lastLabels }: ChangedSets,
): Observation | null {
  const answeredAt = lastLabels === null ? null : instantOfDate(lastLabels.headers.date);
  if (lastLabels === null || answeredAt === null) return null;
  const seen = canonical({ labels: labelsIn(lastLabels) }, ISSUE.fields);
  return {
    ...ref,
    action: "upsert",
    updatedAt: answeredAt,
    content: withChangedLabels(seen, labels),
    display: {},
    parent: null,
    token: null,
    author: null,
  };
}

/** What is known to be done shows in an observation, though the read that it is of lags behind. */
export function withChangedLabels(content: Content, { added, removed }: SetChange): Content {
  const { labels } = content;
  if (!isStringArray(labels)) return content;
  const kept = labels.filter((name) => !removed.includes(name));
  return { ...content, labels: [...new Set([...kept, ...added])].sort() };
}

/** A label by such a name has no address: the request would go to the labels of the whole issue. */
function checkName(name: string): void {
  if (name !== "." && name !== "..") return;
  throw impossible(
    "unaddressable_label",
    `GitHub's API cannot remove a label that is called ${JSON.stringify(name)}.`,
    "Remove it from the issue at GitHub, or rename the label.",
  );
}

function unlessNotThere(error: unknown): null {
  if (error instanceof IntegrationError && error.kind === "not_found") return null;
  throw error;
}

/** What failed after something else was written is no write that was never made. */
export function partlyApplied(error: unknown): unknown {
  if (!(error instanceof IntegrationError) || error.applied === "unknown") return error;
  const { kind, code, message, hint, status, requestId, retryAfterMs, moved } = error;
  const details = { kind, code, message, hint, status, requestId, retryAfterMs, moved };
  return new IntegrationError({ ...details, applied: "unknown", cause: error });
}
