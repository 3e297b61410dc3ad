/** What GitHub said to Tandem, and what there is in it: payloads of webhooks, and answers. */
import type { Names } from "./names.ts";
import { issueName } from "./places.ts";

/** Something that GitHub said, and that Tandem read. */
export interface Saying {
  readonly text: string;
  readonly isList: boolean;
  /** When, counted in things said. */
  readonly at: number;
  /** Whoever heard it died before it was written down anywhere. */
  unsaid: boolean;
}

export interface SeenIssue {
  readonly name: string;
  readonly labels: readonly string[];
}

/**
 * What there is to keep of a saying. Neither what a deletion has removed nor what an edit has
 * replaced counts: both tell of it when there is nothing left to keep, and our own write may have
 * been what did it.
 */
export function kept(text: string): string {
  const json = parsed(text);
  if (typeof json !== "object" || json === null) return text;
  if ("action" in json && json.action === "deleted") return "";
  return "changes" in json ? JSON.stringify({ ...json, changes: undefined }) : text;
}

/** The issues that an answer or a payload shows. */
export function issuesSaid(text: string, names: Names): readonly SeenIssue[] {
  return issuesIn(parsed(kept(text)), names);
}

/** `null` for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function issuesIn(json: unknown, names: Names): readonly SeenIssue[] {
  if (Array.isArray(json)) return json.flatMap((one) => issuesIn(one, names));
  if (typeof json !== "object" || json === null) return [];
  if ("issue" in json) return issuesIn(json.issue, names);
  if (!("number" in json) || !("labels" in json) || !Array.isArray(json.labels)) return [];
  const labels = json.labels.map((label: unknown) =>
    typeof label === "object" && label !== null && "name" in label ? String(label.name) : "",
  );
  const [, fullName = ""] =
    /\/repos\/(.+)$/.exec("repository_url" in json ? String(json.repository_url) : "") ?? [];
  const repository = names.ofRepository(fullName) ?? fullName;
  return [{ name: issueName(repository, Number(json.number)), labels }];
}
