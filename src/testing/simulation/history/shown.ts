/** The fields that a response or a webhook shows. Each element of a set is a field of its own. */
import { withoutToken } from "./history.ts";
import { commentName, issueName } from "../world/index.ts";
import { TEST_REPOSITORY } from "../../test-tandem.ts";

/** Values by field: `title`, or `labels=bug`, which is there or absent. */
export type ShownFields = ReadonlyMap<string, string>;

/** The value of an element of a set. */
export const THERE = "there";
export const AWAY = "not there";

/** Whether a field is an element of a set. */
export function isElement(field: string): boolean {
  return field.includes("=");
}

/** The shown value of a field; `undefined` if it was not shown. */
export function shownOf(fields: ShownFields, field: string): string | undefined {
  return fields.get(field) ?? (isElement(field) ? AWAY : undefined);
}

/** The issues and comments in a response or a payload. In a comment's payload the comment comes first. */
export function thingsShown(json: unknown): readonly (readonly [string, ShownFields])[] {
  if (Array.isArray(json)) return json.flatMap(thingsShown);
  if (!isObject(json)) return [];
  if (isObject(json.comment)) return [...thingsShown(json.comment), ...thingsShown(json.issue)];
  if (isObject(json.issue)) return thingsShown(json.issue);
  if (typeof json.number === "number" && typeof json.title === "string") {
    return [[issueName(TEST_REPOSITORY, json.number), fieldsOfIssue(json)]];
  }
  if (typeof json.issue_url !== "string") return [];
  return [[commentName(String(json.id)), new Map([["body", bodyOf(json)]])]];
}

function fieldsOfIssue(issue: Readonly<Record<string, unknown>>): ShownFields {
  return new Map([
    ["title", String(issue.title)],
    ["body", bodyOf(issue)],
    ["state", String(issue.state)],
    ...elements(issue, "labels", "name"),
    ...elements(issue, "assignees", "login"),
  ]);
}

function elements(
  issue: Readonly<Record<string, unknown>>,
  field: string,
  key: string,
): readonly (readonly [string, string])[] {
  const items = issue[field];
  if (!Array.isArray(items)) return [];
  return items.flatMap((item: unknown) =>
    isObject(item) ? [[`${field}=${String(item[key])}`, THERE] as const] : [],
  );
}

function bodyOf({ body }: Readonly<Record<string, unknown>>): string {
  return withoutToken(typeof body === "string" ? body : null);
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
