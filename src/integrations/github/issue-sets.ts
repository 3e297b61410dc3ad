/**
 * Labels and assignees of an issue, changed one by one. A PATCH replaces a whole set, and would remove the
 * elements that other people have added since it was read.
 *
 * 1. GitHub adds labels in one request and removes each label by a request of its own. Assignees are added
 *    in one request and removed in one.
 * 2. A 404 for a label's removal means that it was removed already. If the issue itself is missing, the next
 *    request for it says so.
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
import {
  type Answer,
  impossible,
  instantOfDate,
  labelsShape,
  nameOfLabel,
  readAnswer,
  type UnsignedRequest,
} from "./transport/index.ts";
import { ISSUE } from "./resources.ts";

const NO_CHANGE: SetChange = { added: [], removed: [] };

/** The effect of the requests, which is applied on top of a response that does not show it yet. */
export interface ChangedSets {
  readonly labels: SetChange;
  /** The last response that shows the whole issue; `null` if none did. */
  readonly issue: Answer | null;
  /** The response to the last change of labels, which lists all labels but no issue; `null` without a change. */
  readonly lastLabels: Answer | null;
}

/**
 * Sends the changes of the sets.
 *
 * @throws IntegrationError `applied: "unknown"` if one request fails after another was applied.
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
 * The issue as far as the response to a change of labels shows it: the labels, at the time of the response.
 * Without this observation a refused read leaves the outcome unknown while the account pauses, and a label
 * that a person removes meanwhile would be added again.
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

/** Adds the confirmed changes of labels to an observation, because a read may lag behind them. */
export function withChangedLabels(content: Content, { added, removed }: SetChange): Content {
  const { labels } = content;
  if (!isStringArray(labels)) return content;
  const kept = labels.filter((name) => !removed.includes(name));
  return { ...content, labels: [...new Set([...kept, ...added])].sort() };
}

/** A label with such a name has no address: the URL would mean all labels of the issue. */
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

/** Marks a failure as possibly applied, because an earlier request of the same write was applied. */
export function partlyApplied(error: unknown): unknown {
  if (!(error instanceof IntegrationError) || error.applied === "unknown") return error;
  const { kind, code, message, hint, status, requestId, retryAfterMs, moved } = error;
  const details = { kind, code, message, hint, status, requestId, retryAfterMs, moved };
  return new IntegrationError({ ...details, applied: "unknown", cause: error });
}
