/**
 * What people wrote, on both sides, and what each of them saw when writing: enough to say at the
 * end whether an edit disappeared without a trace.
 *
 * 1. Every value is written once in a history, so that seeing it is proof of whose edit it was.
 * 2. Whoever writes over a value, or deletes it, has seen it: it is superseded, and not lost.
 * 3. What Tandem was never told of, it cannot keep.
 */
import type { GitHubSimulator } from "../github/index.ts";
import type { Repository } from "../github/state.ts";
import { TEST_REPOSITORY } from "../test-tandem.ts";
import { fullNameOf } from "../github/world.ts";
import { issueName } from "./places.ts";
import { takeAttribution } from "../../integrations/github/attribution.ts";

export type Fetch = typeof globalThis.fetch;

/** `record` is a row of the app, `resource` a thing at GitHub. */
export type Side = "record" | "resource";

/** The last value a person gave to a field, on one side. */
export interface Edit {
  readonly side: Side;
  /** `tasks:3`, `comments:1`, `issue:7` or `issue_comment:1001`. */
  readonly thing: string;
  readonly field: string;
  readonly value: string;
}

/** A label that a person has put somewhere, once in a history. */
export interface LabelEdit {
  readonly thing: string;
  readonly side: Side;
  /** Who took it away again, having seen it there. */
  removed: { readonly side: Side; readonly thing: string; readonly at: number } | null;
}

/** Something that GitHub said, and that Tandem read. */
export interface Saying {
  readonly text: string;
  readonly isList: boolean;
  /** When, counted in things said. */
  readonly at: number;
  /** Whoever heard it died before it was written down anywhere. */
  unsaid: boolean;
}

interface TextOf {
  readonly title?: string;
  readonly body?: string | null;
}

export class History {
  readonly story: string[] = [];
  readonly labels = new Map<string, LabelEdit>();
  /** Things a person deleted, and whether what was unsent of them has to be named. */
  readonly deleted = new Map<string, { readonly paired: boolean }>();
  /** Issues whose state a person had the last word on. */
  readonly reopened = new Set<string>();
  readonly #edits = new Map<string, Edit>();
  readonly #superseded = new Set<string>();
  /** What GitHub has shown at any time, whoever wrote it. */
  readonly #shown = new Set<string>();
  /** Everything that Tandem was ever told by GitHub: webhooks that arrived, answers it read. */
  readonly #told: Saying[] = [];
  /** Writes that took effect, and whose sender never heard of it. */
  readonly #unheard: string[] = [];
  #values = 0;
  /** Counts what was said and taken away, to tell what came first. */
  #now = 0;
  edits = 0;
  /** Calls that what people did may lead to, beyond one for each deed. */
  calls = 0;

  tell(line: string): void {
    this.story.push(line);
  }

  /** A value that nobody has written before; no value contains another. */
  fresh(what: string): string {
    this.#values += 1;
    return `${what} ${String(this.#values)}.`;
  }

  /** A person writes to a field and sees what it said before. */
  edit(side: Side, thing: string, field: string, before: string, value: string): void {
    this.edits += 1;
    this.#superseded.add(before);
    this.#edits.set(`${thing}:${field}`, { side, thing, field, value });
    this.tell(`${who(side)}: ${field} of ${thing} = ${value}`);
  }

  /** Of what was just done more than one call may come. */
  takesCalls(count: number): void {
    this.calls += count - 1;
  }

  addLabel(side: Side, thing: string, label: string): void {
    this.edits += 1;
    this.labels.set(label, { side, thing, removed: null });
    this.tell(`${who(side)}: label ${label} on ${thing}`);
  }

  removeLabel(side: Side, thing: string, label: string): void {
    this.edits += 1;
    const known = this.labels.get(label);
    if (known !== undefined) known.removed = { side, thing, at: this.#tick() };
    this.tell(`${who(side)}: label ${label} off ${thing}`);
  }

  /**
   * A person deletes a thing and sees what it says. On the record's side an edit of it that never
   * reached GitHub is not seen by anybody any more, and has to be named.
   */
  delete(side: Side, thing: string, says: readonly string[], paired: boolean): void {
    this.edits += 1;
    this.deleted.set(thing, { paired });
    const unsent = this.lastEdits().filter((edit) => edit.side === "record");
    const seen = says.filter(
      (value) => side === "resource" || !unsent.some((edit) => edit.value === value),
    );
    for (const value of seen) this.supersede(value);
    this.tell(`${who(side)}: ${thing} is deleted`);
  }

  supersede(value: string): void {
    this.#superseded.add(value);
  }

  isSuperseded(value: string): boolean {
    return this.#superseded.has(value);
  }

  /** Whether GitHub has shown a value: then it was sent. */
  wasShown(value: string): boolean {
    return this.#shown.has(value);
  }

  lastEdits(): readonly Edit[] {
    return [...this.#edits.values()];
  }

  /** What GitHub said to Tandem: a webhook's payload or an answer. */
  hear(text: string, isList = false): Saying {
    const saying = { text, isList, at: this.#tick(), unsaid: false };
    this.#told.push(saying);
    return saying;
  }

  /** Whether Tandem could have known of a value; `lists`: whether a list may have told it. */
  wasTold(value: string, lists: boolean): boolean {
    return this.#said().some(
      ({ isList, text }) =>
        (lists || !isList) && text.includes(value) && kept(text).includes(value),
    );
  }

  /** A write took effect, and its sender does not hear of it. */
  miss(body: string): void {
    this.#unheard.push(body);
  }

  wasMissed(value: string): boolean {
    return this.#unheard.some((body) => body.includes(value));
  }

  wasToldLabel(label: string): boolean {
    return this.#said().some(
      ({ text }) =>
        text.includes(label) && issuesSaid(text).some(({ labels }) => labels.includes(label)),
    );
  }

  /** Whether Tandem was told that a label is gone, after it was taken away at GitHub. */
  wasToldRemoval(label: string): boolean {
    const { removed = null } = this.labels.get(label) ?? {};
    if (removed === null || removed.side === "record") return removed !== null;
    return this.#said().some(
      ({ text, at }) =>
        at > removed.at &&
        issuesSaid(text).some(
          ({ name, labels }) => name === removed.thing && !labels.includes(label),
        ),
    );
  }

  #said(): readonly Saying[] {
    return this.#told.filter(({ unsaid }) => !unsaid);
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }

  /** Follows what happens at GitHub, whoever did it. */
  follow(github: GitHubSimulator, ours: ReadonlySet<string>): void {
    github.on("change", ({ event, action, actor, repository, issueNumber, payload }) => {
      const byUs = ours.has(actor.login);
      const about = issueNumber === null ? "" : ` ${hashOf(repository, issueNumber)}`;
      const { comment } = payload as { readonly comment?: TextOf };
      const { issue } = payload as { readonly issue?: TextOf };
      for (const said of [issue?.title, issue?.body, comment?.body]) {
        this.#shown.add(withoutToken(said ?? ""));
      }
      const says = comment === undefined ? issue?.title : withoutToken(comment.body ?? "");
      this.tell(`github: ${event} ${action}${about} by ${actor.login} ("${says ?? ""}")`);
      if (event !== "issues" || issueNumber === null || repository === null) return;
      const thing = issueName(fullNameOf(repository), issueNumber);
      if (action === "reopened" && !byUs) this.reopened.add(thing);
      if (action === "closed") this.reopened.delete(thing);
    });
  }
}

const LINE = /^.*<!-- tandem-author -->\n*/;
const TOKEN = /\s*<!-- tandem:\w+ -->\s*$/;

/** A body as people wrote it: without the line above it that names them, and what is hidden in it. */
export function withoutToken(body: string | null): string {
  return takeAttribution((body ?? "").replace(TOKEN, ""));
}

/** Whoever edits a body in the browser leaves what is around it where it is. */
export function keepingToken(before: string | null, value: string): string {
  const [line = ""] = LINE.exec(before ?? "") ?? [];
  const [token = ""] = TOKEN.exec(before ?? "") ?? [];
  return `${line}${value}${token}`;
}

function hashOf(repository: Repository | null, number: number): string {
  const name = repository === null ? "" : fullNameOf(repository);
  return `${name === TEST_REPOSITORY ? "" : name}#${String(number)}`;
}

function who(side: Side): string {
  return side === "record" ? "app" : "person at github";
}

/**
 * What there is to keep of a saying. Neither what a deletion has removed nor what an edit has
 * replaced counts: both tell of it when there is nothing left to keep, and our own write may have
 * been what did it.
 */
function kept(text: string): string {
  const json = parsed(text);
  if (typeof json !== "object" || json === null) return text;
  if ("action" in json && json.action === "deleted") return "";
  return "changes" in json ? JSON.stringify({ ...json, changes: undefined }) : text;
}

function issuesSaid(text: string): readonly SeenIssue[] {
  return issuesIn(parsed(kept(text)));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

interface SeenIssue {
  readonly name: string;
  readonly labels: readonly string[];
}

/** The issues that an answer or a payload shows. */
function issuesIn(json: unknown): readonly SeenIssue[] {
  if (Array.isArray(json)) return json.flatMap(issuesIn);
  if (typeof json !== "object" || json === null) return [];
  if ("issue" in json) return issuesIn(json.issue);
  if (!("number" in json) || !("labels" in json) || !Array.isArray(json.labels)) return [];
  const labels = json.labels.map((label: unknown) =>
    typeof label === "object" && label !== null && "name" in label ? String(label.name) : "",
  );
  const [, repository = ""] =
    /\/repos\/(.+)$/.exec("repository_url" in json ? String(json.repository_url) : "") ?? [];
  return [{ name: issueName(repository, Number(json.number)), labels }];
}
