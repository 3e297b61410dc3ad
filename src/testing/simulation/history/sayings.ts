/** Texts that Tandem received from GitHub, and their content: payloads of webhooks, and responses. */
import { issueName, type Names } from "../world/index.ts";

/** A text that GitHub sent and Tandem read. */
export interface Saying {
  readonly text: string;
  readonly isList: boolean;
  /** Its time on the history's logical clock. */
  readonly at: number;
  /** Whether its reader died before it stored the content. */
  unsaid: boolean;
}

export interface SeenIssue {
  readonly name: string;
  readonly labels: readonly string[];
}

/**
 * The values of a text that Tandem must keep. Values that a deletion has removed or an edit has replaced do
 * not count: the text reports them after the fact, and our own write may be the cause.
 */
export function kept(text: string): string {
  const json = parsed(text);
  if (typeof json !== "object" || json === null) return text;
  if ("action" in json && json.action === "deleted") return "";
  return "changes" in json ? JSON.stringify({ ...json, changes: undefined }) : text;
}

/** The issues in a response or a payload. */
export function issuesSaid(text: string, names: Names): readonly SeenIssue[] {
  return issuesIn(parsed(kept(text)), names);
}

/** `null` if the text is not JSON. */
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
