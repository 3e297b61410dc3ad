/** The shapes of GitHub's JSON, in webhooks and responses: only the fields that Tandem reads. */
import { z } from "zod";
import { type Instant, parseInstant } from "../../../model/instant.ts";
import { TranslationError } from "../../integration.ts";
import { parseExactly } from "./exact-json.ts";

/** No id at GitHub has more digits; Postgres refuses an index entry of more than 2,700 bytes. */
const LONGEST_ID = 20;
/** The same for names. GitHub's own limits are 39 for a login, and 100 for a repository's name. */
const LONGEST_LOGIN = 255;
const LONGEST_FULL_NAME = 512;

/** An id as text; `parseExactly` keeps long ids as text. */
const id = z
  .union([z.int().nonnegative(), z.string().max(LONGEST_ID).regex(/^\d+$/)])
  .transform(String);

const time = z.string().transform((text, context): Instant => {
  try {
    return parseInstant(text);
  } catch {
    context.addIssue({ code: "custom", message: "not a time with an offset" });
    return z.NEVER;
  }
});

const user = z.looseObject({ id, login: z.string().min(1).max(LONGEST_LOGIN) });
const label = z.union([z.string(), z.looseObject({ name: z.string() })]);

export const labelsShape = z.array(label);

export function nameOfLabel(given: z.infer<typeof label>): string {
  return typeof given === "string" ? given : given.name;
}

/** An issue. An absent field was not observed, and `null` means empty. */
export const issueShape = z.looseObject({
  number: id,
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]).optional(),
  state_reason: z.string().nullish(),
  labels: z.array(label).optional(),
  assignees: z.array(user.nullable()).optional(),
  user: user.nullish(),
  html_url: z.string(),
  created_at: time.optional(),
  updated_at: time,
  repository_url: z.string().optional(),
  /** The number of its comments. */
  comments: z.number().optional(),
  /** Present on pull requests, which share numbers and routes with issues. */
  pull_request: z.unknown().optional(),
});
export type IssuePayload = z.infer<typeof issueShape>;

export const commentShape = z.looseObject({
  id,
  body: z.string().nullish(),
  user: user.nullish(),
  html_url: z.string(),
  issue_url: z.string(),
  created_at: time.optional(),
  updated_at: time,
});
export type CommentPayload = z.infer<typeof commentShape>;

export const repositoryShape = z.looseObject({
  id,
  full_name: z.string().min(1).max(LONGEST_FULL_NAME),
  has_issues: z.boolean().optional(),
});

export const userShape = user;
export const appShape = z.looseObject({ slug: z.string().min(1) });
export const installationShape = z.looseObject({ id, suspended_at: time.nullish() });
export const installationTokenShape = z.looseObject({ token: z.string().min(1), expires_at: time });

/** An attempt to deliver a webhook, as the App's log shows it. */
export const deliveryItemShape = z.looseObject({
  id,
  guid: z.string().min(1),
  delivered_at: time,
  status_code: z.int(),
  event: z.string(),
  installation_id: id.nullish().transform((given) => given ?? null),
});

/** The part that all webhooks with an action share. */
export const actionShape = z.looseObject({ action: z.string() });

export const issueEventShape = z.looseObject({
  issue: issueShape,
  repository: repositoryShape,
});

/** The old repository's webhook for a transferred issue: its new number and its new repository. */
export const departureShape = z.looseObject({
  changes: z.looseObject({ new_issue: issueShape, new_repository: repositoryShape }),
});

/** The new repository's webhook for a transferred issue, which was opened by the transfer. */
export const arrivalShape = z.looseObject({
  changes: z.looseObject({
    old_issue: z.looseObject({ number: id }),
    old_repository: repositoryShape,
  }),
});

export const commentEventShape = z.looseObject({
  issue: issueShape,
  comment: commentShape,
  repository: repositoryShape,
});

export const repositoryEventShape = z.looseObject({
  repository: repositoryShape,
});

export const installationEventShape = z.looseObject({
  installation: z.looseObject({ id }),
  repositories: z.array(repositoryShape).default([]),
});

export const installationRepositoriesEventShape = z.looseObject({
  action: z.string(),
  repositories_added: z.array(repositoryShape),
  repositories_removed: z.array(repositoryShape),
});

/** Parses a webhook's body. */
export function readJson(text: string): unknown {
  try {
    return parseExactly(text);
  } catch (cause) {
    throw new TranslationError("malformed_json", "The payload is not JSON.", {
      path: "",
      hint: "Set the webhook's content type to application/json and deliver it again.",
      cause,
    });
  }
}

/** Reads a webhook's payload with the shape of its event. */
export function readPayload<Shape extends z.ZodType>(
  shape: Shape,
  payload: unknown,
  event: string,
): z.infer<Shape> {
  const result = shape.safeParse(payload);
  if (result.success) return result.data;
  const { path, problem } = firstProblem(result.error);
  throw new TranslationError(
    "malformed_payload",
    `The payload of the ${event} webhook has no usable ${path}: ${problem}.`,
    {
      path,
      hint: "Look at the stored payload. If GitHub sent it like this, its format has changed: update tandem-sync, then restart the delivery.",
      cause: result.error,
    },
  );
}

/** The path and the problem of the first field that does not fit the shape. */
export function firstProblem(error: z.ZodError): {
  readonly path: string;
  readonly problem: string;
} {
  const issue = error.issues[0];
  return {
    path: issue === undefined || issue.path.length === 0 ? "root" : issue.path.join("."),
    problem: issue?.message ?? "unknown",
  };
}
