/**
 * Labels and assignees of an issue, changed one by one: a PATCH takes a whole set, and would take off what
 * others have put there since it was read.
 *
 * 1. GitHub adds labels in one request and removes each by its own; assignees it adds and removes in one.
 * 2. A label that is not there any more (404) is as it should be. An issue that is not there is told by
 *    whatever is asked of it next.
 */
import {
  isStringArray,
  type Content,
  type SetChange,
  type SetChanges,
} from "../../model/content.ts";
import { IntegrationError } from "../integration.ts";
import type { UnsignedRequest } from "./api.ts";
import { impossible } from "./errors.ts";
import { labelsShape, nameOfLabel } from "./payload.ts";
import { type Answer, readAnswer } from "./transport.ts";

const NO_CHANGE: SetChange = { added: [], removed: [] };

/** What the requests have done, to be laid over an answer that does not show it yet. */
export interface ChangedSets {
  readonly labels: SetChange;
  /** The issue as the last request answered it; `null` where none answered with an issue. */
  readonly issue: Answer | null;
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
  const added = labels.added.length === 0 ? [] : await addLabels(write, labelsUrl, labels.added);
  for (const name of labels.removed) {
    const url = `${labelsUrl}/${encodeURIComponent(name)}`;
    await write({ method: "DELETE", url }).catch(unlessNotThere);
  }
  let issue: Answer | null = null;
  const url = `${issuePath}/assignees`;
  for (const [method, logins] of [
    ["POST", assignees.added],
    ["DELETE", assignees.removed],
  ] as const) {
    if (logins.length > 0) issue = await write({ method, url, body: { assignees: logins } });
  }
  return { labels: { added, removed: labels.removed }, issue };
}

/** Which of the labels are there now, by GitHub's answer. */
async function addLabels(
  write: (request: UnsignedRequest) => Promise<Answer>,
  url: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const answer = await write({ method: "POST", url, body: { labels: names } });
  const there = readAnswer(labelsShape, answer).map(nameOfLabel);
  return names.filter((name) => there.includes(name));
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
  const { kind, code, message, hint, status, requestId, retryAt, moved } = error;
  const details = { kind, code, message, hint, status, requestId, retryAt, moved };
  return new IntegrationError({ ...details, applied: "unknown", cause: error });
}
