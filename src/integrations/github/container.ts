/**
 * The issues and comments of one repository.
 *
 * 1. Paths are below the repository, such as `/issues/5`. `RepositoryApi` adds the address of the
 *    repository, and reads its new name from responses.
 * 2. A read by number returns the issue or pull request with that number: an issue can become a pull
 *    request and keep its number. Lists and webhooks return issues only.
 * 3. A 410 means a deletion only if the repository has issues enabled. While they are disabled, GitHub
 *    answers 410 to every request for an issue.
 */
import { z } from "zod";
import type { Content, Json, SetChanges } from "../../model/content.ts";
import type { Instant } from "../../model/instant.ts";
import type { Observation, ResourceRef } from "../../model/observation.ts";
import {
  type Container,
  type ContainerClient,
  type CreateRequest,
  IntegrationError,
  type ListPage,
  type ListQuery,
  type Telemetry,
} from "../integration.ts";
import type { Api } from "./access/index.ts";
import {
  type Answer,
  type CommentPayload,
  commentShape,
  impossible,
  type IssuePayload,
  issueShape,
  malformedAnswer,
  movedFurther,
  readAnswer,
  repositoryShape,
  requestIdOf,
  type UnsignedRequest,
} from "./transport/index.ts";
import { changeSets, observeLabels, partlyApplied, withChangedLabels } from "./issue-sets.ts";
import { type ListItem, listPages, nextLink, PageGuard } from "./listing.ts";
import {
  isOnPullRequest,
  isPullRequest,
  issueNumberOf,
  observeComment,
  observeIssue,
} from "./observe.ts";
import { RepositoryApi } from "./repository-api.ts";
import { ISSUE, ISSUE_COMMENT, writableValues } from "./resources.ts";
import { putToken } from "./token.ts";

type KnownType = "issue" | "issue_comment";

/** The fields that GitHub accepts when an issue is opened; others need a second request. */
const FIELDS_OF_A_NEW_ISSUE: ReadonlySet<string> = new Set([
  "title",
  "body",
  "labels",
  "assignees",
]);

export class RepositoryClient implements ContainerClient {
  readonly #repository: RepositoryApi;

  constructor(api: Api, container: Container, tell: (telemetry: Telemetry) => void) {
    this.#repository = new RepositoryApi(api, container, tell);
  }

  async read(ref: ResourceRef, signal?: AbortSignal): Promise<Observation> {
    const answer = await this.#send({ method: "GET", url: pathOf(ref), signal });
    return this.#observe(ref, answer);
  }

  async readIfChanged(
    ref: ResourceRef,
    validator: string | null,
    signal?: AbortSignal,
  ): Promise<Observation | "unchanged"> {
    const url = pathOf(ref);
    const answer = await this.#send({ method: "GET", url, validator, signal });
    return answer.status === 304 ? "unchanged" : this.#observe(ref, answer);
  }

  /** Opens an issue or writes a comment with one request. A new issue always has the state `open`. */
  async create(request: CreateRequest, signal?: AbortSignal): Promise<Observation> {
    const type = knownType(request.type);
    if (type === "issue_comment") return this.#comment(request, signal);
    const values = writableValues(request.values, ISSUE.fields);
    const body = withToken({ body: "", ...only(values, isOfNewIssue) }, request.token);
    const issue = await this.#send({ method: "POST", url: "/issues", body, signal });
    return observeIssue(this.#readIssue(issue));
  }

  async patch(
    ref: ResourceRef,
    values: Content,
    sets: SetChanges,
    token: string | null,
    signal?: AbortSignal,
  ): Promise<Observation> {
    const isIssue = knownType(ref.type) === "issue";
    const url = pathOf(ref);
    const body = withToken(writableValues(values, (isIssue ? ISSUE : ISSUE_COMMENT).fields), token);
    const hasSets = isIssue && Object.keys(sets).length > 0;
    // Values first: if GitHub refuses them, nothing was changed.
    const patch = () => this.#send({ method: "PATCH", url, body, signal });
    if (!hasSets) return this.#observe(ref, await patch());
    const patched = Object.keys(body).length === 0 ? null : await patch();
    return this.#changeSets(ref, sets, patched, signal);
  }

  async #changeSets(
    ref: ResourceRef,
    sets: SetChanges,
    patched: Answer | null,
    signal: AbortSignal | undefined,
  ): Promise<Observation> {
    const url = pathOf(ref);
    const send = (request: UnsignedRequest) => this.#send(request);
    const changed = await changeSets(send, url, sets, patched !== null, signal);
    try {
      const answer = changed.issue ?? patched ?? (await this.#send({ method: "GET", url, signal }));
      // The validator belongs to the content that was read, and the labels may be newer than that content.
      const { validator: _, ...seen } = this.#observe(ref, answer);
      const { content } = seen;
      return content === null
        ? seen
        : { ...seen, content: withChangedLabels(content, changed.labels) };
    } catch (error) {
      const answered =
        isNews(error) || signal?.aborted === true ? null : observeLabels(ref, changed);
      if (answered === null) throw partlyApplied(error);
      return answered;
    }
  }

  async delete(ref: ResourceRef, signal?: AbortSignal): Promise<void> {
    if (knownType(ref.type) === "issue") {
      throw impossible(
        "not_supported",
        "GitHub's REST API cannot delete an issue.",
        'Set onRecordDeleted to "close" or "detach" for this mapping.',
      );
    }
    await this.#send({ method: "DELETE", url: pathOf(ref), signal });
  }

  /**
   * Closes an issue as not planned, then comments with the reason. The comment is optional: if the
   * conversation refuses it (because it is locked, for example), the issue stays closed.
   */
  async close(
    ref: ResourceRef,
    comment: string | null,
    signal?: AbortSignal,
  ): Promise<Observation> {
    if (knownType(ref.type) !== "issue") {
      throw impossible(
        "not_supported",
        "A comment cannot be closed.",
        'Set onRecordDeleted to "delete" or "detach" for this mapping.',
      );
    }
    const closed = await this.patch(ref, ISSUE.closedBy, {}, null, signal);
    if (comment === null) return closed;
    const url = `${pathOf(ref)}/comments`;
    try {
      await this.#send({ method: "POST", url, body: { body: comment }, signal });
    } catch (error) {
      if (!(error instanceof IntegrationError) || error.kind !== "permanent") throw error;
    }
    return closed;
  }

  list(query: ListQuery, signal?: AbortSignal): AsyncIterable<ListPage> {
    const isIssues = knownType(query.type) === "issue";
    const path = isIssues ? "/issues?state=all" : "/issues/comments";
    const readItems = (answer: Answer): readonly ListItem[] =>
      isIssues ? this.#readIssues(answer) : this.#readComments(answer);
    return this.#pages(listPages(this.#repository, path, query, readItems, signal), query, signal);
  }

  /** Comments of one issue. A transfer moves them with their old times, so a list by time misses them. */
  async children(
    parent: ResourceRef,
    type: string,
    signal?: AbortSignal,
  ): Promise<readonly Observation[]> {
    if (knownType(type) === "issue") return [];
    const all: Observation[] = [];
    const guard = new PageGuard();
    let url: string | null = `${pathOf(parent)}/comments?per_page=100`;
    while (url !== null) {
      const answer: Answer = await this.#send({ method: "GET", url, signal });
      const comments = readAnswer(z.array(commentShape), answer);
      all.push(...comments.map((comment) => this.#observeCommentOf(parent, comment, answer)));
      const link = nextLink(answer.headers.link);
      const next: string | null = link === null ? null : this.#repository.pathOf(link, answer);
      guard.note(answer, url, next, comments.length);
      url = next;
    }
    return all;
  }

  async *#pages(
    pages: AsyncIterable<ListPage>,
    query: ListQuery,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ListPage> {
    try {
      yield* pages;
    } catch (error) {
      if (!this.#lacksCommentList(error, query)) throw await this.#explain(error, signal);
      yield this.#eachIssuesComments(query.since, signal);
    }
  }

  /** A server that is addressed by name may have no list of a repository's comments. */
  #lacksCommentList(error: unknown, { type }: ListQuery): boolean {
    const isMissing = error instanceof IntegrationError && error.kind === "not_found";
    return isMissing && type === "issue_comment" && this.#repository.isByName;
  }

  /**
   * The comments of all issues with comments, as one page. It needs one request per issue: editing a comment
   * does not always touch its issue, so a list of issues by time would miss edits.
   */
  async #eachIssuesComments(
    since: Instant | null,
    signal: AbortSignal | undefined,
  ): Promise<ListPage> {
    const readAt = this.#repository.now();
    const everything = { since: null, etag: null };
    const readItems = (answer: Answer) => this.#readIssues(answer, hasComments);
    const path = "/issues?state=all";
    const all: Observation[] = [];
    for await (const page of listPages(this.#repository, path, everything, readItems, signal)) {
      for (const issue of page.observations) {
        all.push(...(await this.children(issue, "issue_comment", signal)));
      }
    }
    const observations = all
      .filter(({ updatedAt }) => since === null || updatedAt >= since)
      .sort((a, b) => a.updatedAt - b.updatedAt);
    const place = { etag: null, cursor: null, pagesLeft: 0 };
    return { observations, unchanged: false, readAt, last: true, ...place };
  }

  async #comment(request: CreateRequest, signal: AbortSignal | undefined): Promise<Observation> {
    if (request.parent === null) {
      throw impossible(
        "parent_missing",
        "A comment cannot be written without the issue it belongs to.",
        "This is a mistake in Tandem: a child waits until its parent has an external id. Please report it.",
      );
    }
    const values = writableValues(request.values, ISSUE_COMMENT.fields);
    const body = withToken({ body: "", ...values }, request.token);
    const url = `${pathOf(request.parent)}/comments`;
    const answer = await this.#send({ method: "POST", url, body, signal });
    return this.#observeCommentOf(request.parent, readAnswer(commentShape, answer), answer);
  }

  async #send(request: UnsignedRequest): Promise<Answer> {
    try {
      return await this.#repository.send(request);
    } catch (error) {
      throw await this.#explain(error, request.signal);
    }
  }

  /**
   * Distinguishes a deleted issue from a repository with disabled issues, and a transferred issue from a
   * redirect that leads nowhere.
   */
  async #explain(error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    if (!(error instanceof IntegrationError)) return error;
    if (error.moved !== null) {
      return movedFurther(error, await this.#repository.movedOnFrom(error.moved.to, signal));
    }
    if (error.kind !== "gone") return error;
    const answer = await this.#repository.send({ method: "GET", url: "", signal });
    if (readAnswer(repositoryShape, answer).has_issues !== false) return error;
    return new IntegrationError({
      kind: "permanent",
      code: "issues_disabled",
      message: `Issues are switched off in the repository ${this.#repository.name}.`,
      hint: "Switch them on in the repository's settings, or pause the connection. Nothing was deleted.",
      applied: "no",
      status: error.status,
      requestId: error.requestId,
      cause: error,
    });
  }

  #observe(ref: ResourceRef, answer: Answer): Observation {
    const observation =
      knownType(ref.type) === "issue"
        ? observeIssue(this.#readIssue(answer))
        : this.#observeComment(readAnswer(commentShape, answer), answer);
    const { validator } = answer;
    if (observation.externalId === ref.externalId) {
      return validator === null ? observation : { ...observation, validator };
    }
    throw nonsense(answer, `it is about ${observation.externalId}, not ${ref.externalId}`);
  }

  #readIssue(answer: Answer): IssuePayload {
    const issue = readAnswer(issueShape, answer);
    this.#noticeName(issue, answer);
    return issue;
  }

  #readIssues(answer: Answer, isWanted = isIssue): readonly ListItem[] {
    const issues = readAnswer(z.array(issueShape), answer);
    const [first] = issues;
    if (first !== undefined) this.#noticeName(first, answer);
    return issues.map((issue) => ({
      key: issue.number,
      updatedAt: issue.updated_at,
      observation: isWanted(issue) ? observeIssue(issue) : null,
    }));
  }

  #readComments(answer: Answer): readonly ListItem[] {
    return readAnswer(z.array(commentShape), answer).map((comment) => ({
      key: comment.id,
      updatedAt: comment.updated_at,
      observation: isOnPullRequest(comment) ? null : this.#observeComment(comment, answer),
    }));
  }

  #observeCommentOf(parent: ResourceRef, comment: CommentPayload, answer: Answer): Observation {
    const observation = this.#observeComment(comment, answer);
    if (observation.parent?.externalId === parent.externalId) return observation;
    throw nonsense(answer, `comment ${comment.id} is not of issue ${parent.externalId}`);
  }

  #observeComment(comment: CommentPayload, answer: Answer): Observation {
    const number = issueNumberOf(comment);
    if (number !== null) return observeComment(comment, number);
    throw nonsense(answer, `issue_url of comment ${comment.id} names no issue`);
  }

  /** An issue's payload names its repository: a name that we did not know means a rename. */
  #noticeName(issue: IssuePayload, answer: Answer): void {
    const name = /\/repos\/([^/]+\/[^/]+)$/.exec(issue.repository_url ?? "")?.[1];
    if (name !== undefined) this.#repository.noticeName(name, answer.telemetry);
  }
}

function pathOf({ type, externalId }: ResourceRef): string {
  const collection = knownType(type) === "issue" ? "/issues" : "/issues/comments";
  return `${collection}/${encodeURIComponent(externalId)}`;
}

function isIssue(issue: IssuePayload): boolean {
  return !isPullRequest(issue);
}

function hasComments(issue: IssuePayload): boolean {
  return isIssue(issue) && issue.comments !== 0;
}

function isOfNewIssue(field: string): boolean {
  return FIELDS_OF_A_NEW_ISSUE.has(field);
}

function only(values: Content, isWanted: (field: string) => boolean): Content {
  return Object.fromEntries(Object.entries(values).filter(([field]) => isWanted(field)));
}

function withToken(values: Content, token: string | null): Readonly<Record<string, Json>> {
  const { body } = values;
  return typeof body === "string" ? { ...values, body: putToken(body, token) } : values;
}

function nonsense(answer: Answer, problem: string): IntegrationError {
  return malformedAnswer(answer.request, {
    problem,
    status: answer.status,
    requestId: requestIdOf(answer),
  });
}

function knownType(type: string): KnownType {
  if (type === "issue" || type === "issue_comment") return type;
  throw impossible(
    "unknown_resource_type",
    `GitHub has no resource type ${JSON.stringify(type)} that Tandem knows.`,
    "Use issue or issue_comment.",
  );
}

/** Whether a failed read tells something about the resource: it is gone, or has another address. */
function isNews(error: unknown): boolean {
  if (!(error instanceof IntegrationError)) return true;
  return error.kind === "gone" || error.kind === "not_found" || error.moved !== null;
}
