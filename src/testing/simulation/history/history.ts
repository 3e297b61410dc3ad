/**
 * The values that people wrote on both sides, and the values that they saw when they wrote. At the end this
 * is enough to detect an edit that disappeared without a trace.
 *
 * 1. Each value is written once per history, so a value identifies its edit.
 * 2. A person who overwrites or deletes a value has seen it. The value is superseded, not lost.
 * 3. Tandem cannot keep a value that it never received.
 */
import type { GitHubSimulator } from "../../github/index.ts";
import { fullNameOf, type Repository } from "../../github/world/index.ts";
import { TEST_REPOSITORY } from "../../test-tandem.ts";
import { issueName, Names, type WorldKind } from "../world/index.ts";
import { issuesSaid, kept, type Saying } from "./sayings.ts";
import { takeAttribution } from "../../../integrations/github/attribution.ts";

/** Rare happenings of each world. A long run of histories must contain each at least once. */
export const TURNS = {
  staying: [],
  moving: [
    "an issue was transferred to a connected repository",
    "an issue was transferred out of reach",
    "an issue came from out of reach",
    "a repository was renamed",
    "a repository's former name was taken by another owner",
    "a user signed up beside a placeholder",
    "a user signed up with a placeholder's row",
    "Tandem followed a move",
    "Tandem took an issue for moved away",
    "Tandem linked an author",
  ],
  polling: [
    "both sides of a pairing were edited at the same time",
    "the provider's clock stepped back",
    "a person acted as the account",
    "a text was copied with its marker",
    "a marker was removed",
  ],
} as const satisfies Readonly<Record<WorldKind, readonly string[]>>;
export type Turn = (typeof TURNS)[WorldKind][number];
export const ALL_TURNS: readonly Turn[] = Object.values(TURNS).flat();

export type Fetch = typeof globalThis.fetch;

/** `record` is a row of the app, `resource` is an issue or comment at GitHub. */
export type Side = "record" | "resource";

/** The last value that a person wrote to a field, on one side. */
export interface Edit {
  readonly side: Side;
  /** `tasks:3`, `comments:1`, `issue:7` or `issue_comment:1001`. */
  readonly thing: string;
  readonly field: string;
  readonly value: string;
}

/** A label that a person added to a thing. Each label is added once per history. */
export interface LabelEdit {
  readonly thing: string;
  readonly side: Side;
  /** The person's side, thing and time of its removal. That person had seen the label. */
  removed: { readonly side: Side; readonly thing: string; readonly at: number } | null;
}

interface TextOf {
  readonly title?: string;
  readonly body?: string | null;
}

export class History {
  readonly story: string[] = [];
  readonly names = new Names();
  /** The author of each record that the app created. */
  readonly authors = new Map<string, string>();
  /** The rare happenings of this history, once for each occurrence. */
  readonly turns: Turn[] = [];
  readonly labels = new Map<string, LabelEdit>();
  /** Things that a person deleted. For paired ones a conflict must name their unsent edits. */
  readonly deleted = new Map<string, { readonly paired: boolean }>();
  /** Things that people created with a copy of our marker, with the issue of each. */
  readonly copies = new Map<string, string>();
  /** Issues whose last change of state a person made. */
  readonly reopened = new Set<string>();
  readonly #edits = new Map<string, Edit>();
  readonly #superseded = new Set<string>();
  /** All values that GitHub has ever shown, by any author. */
  readonly #shown = new Set<string>();
  /** All texts that Tandem received from GitHub: webhooks and responses. */
  readonly #told: Saying[] = [];
  /** Writes that took effect although their sender never got the response. */
  readonly #unheard: string[] = [];
  #values = 0;
  /** A logical clock that orders received texts and removals. */
  #now = 0;
  edits = 0;
  /** Calls that acts of people may cause, beyond one for each act. */
  calls = 0;

  tell(line: string): void {
    this.story.push(line);
  }

  /** A value that was never written before; no value contains another. */
  fresh(what: string): string {
    this.#values += 1;
    return `${what} ${String(this.#values)}.`;
  }

  /** A person writes to a field and sees its former value. */
  edit(side: Side, thing: string, field: string, before: string, value: string): void {
    this.edits += 1;
    this.#superseded.add(before);
    this.#edits.set(`${thing}:${field}`, { side, thing, field, value });
    this.tell(`${who(side)}: ${field} of ${thing} = ${value}`);
  }

  /** The last act may cause more than one call. */
  takesCalls(count: number): void {
    this.calls += count - 1;
  }

  /** Records a rare happening. */
  turn(turn: Turn): void {
    this.turns.push(turn);
  }

  /** A thing at GitHub got a new name by a transfer: its edits now belong to the new name. */
  take(from: string, to: string): void {
    this.names.take(from, to);
    for (const [key, edit] of [...this.#edits]) {
      if (edit.side !== "resource" || edit.thing !== from) continue;
      this.#edits.delete(key);
      this.#edits.set(`${to}:${edit.field}`, { ...edit, thing: to });
    }
    if (this.reopened.delete(from)) this.reopened.add(to);
  }

  addLabel(side: Side, thing: string, label: string): void {
    this.edits += 1;
    this.labels.set(label, { side, thing, removed: null });
    this.tell(`${who(side)}: label ${label} on ${thing}`);
  }

  /** A label was dropped by a transfer: with or without it, no edit of a person is lost. */
  forgetLabel(label: string, thing: string): void {
    this.labels.delete(label);
    this.tell(`github: label ${label} fell off ${thing}`);
  }

  assign(side: Side, thing: string, login: string, isOn: boolean): void {
    this.edits += 1;
    this.tell(`${who(side)}: ${login} is ${isOn ? "assigned to" : "taken off"} ${thing}`);
  }

  removeLabel(side: Side, thing: string, label: string): void {
    this.edits += 1;
    const known = this.labels.get(label);
    if (known !== undefined) known.removed = { side, thing, at: this.#tick() };
    this.tell(`${who(side)}: label ${label} off ${thing}`);
  }

  /**
   * A person deletes a thing and sees its values. On the record's side, no reader will see an edit that never
   * reached GitHub, so a conflict must name it.
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

  /** Whether GitHub has shown a value, so that it was sent. */
  wasShown(value: string): boolean {
    return this.#shown.has(value);
  }

  lastEdits(): readonly Edit[] {
    return [...this.#edits.values()];
  }

  /** Tandem receives a text from GitHub: a webhook's payload or a response. */
  hear(text: string, isList = false): Saying {
    const saying = { text, isList, at: this.#tick(), unsaid: false };
    this.#told.push(saying);
    return saying;
  }

  /** Whether Tandem could have known a value; `lists`: whether a list may be the source. */
  wasTold(value: string, lists: boolean): boolean {
    return this.#said().some(
      ({ isList, text }) =>
        (lists || !isList) && text.includes(value) && kept(text).includes(value),
    );
  }

  /** A write took effect, and its sender does not get the response. */
  miss(body: string): void {
    this.#unheard.push(body);
  }

  wasMissed(value: string): boolean {
    return this.#unheard.some((body) => body.includes(value));
  }

  wasToldLabel(label: string): boolean {
    return this.#said().some(
      ({ text }) =>
        text.includes(label) &&
        issuesSaid(text, this.names).some(({ labels }) => labels.includes(label)),
    );
  }

  /** Whether Tandem received a text without a label, after the label was removed at GitHub. */
  wasToldRemoval(label: string): boolean {
    const { removed = null } = this.labels.get(label) ?? {};
    if (removed === null || removed.side === "record") return removed !== null;
    return this.#said().some(
      ({ text, at }) =>
        at > removed.at &&
        issuesSaid(text, this.names).some(
          ({ name, labels }) =>
            this.names.now(name) === this.names.now(removed.thing) && !labels.includes(label),
        ),
    );
  }

  /** The name of a repository; another owner may have a name that one of ours has given up. */
  #nameOf(repository: Repository): string {
    return this.names.ofRepository(repository.id) ?? `another owner's ${fullNameOf(repository)}`;
  }

  #said(): readonly Saying[] {
    return this.#told.filter(({ unsaid }) => !unsaid);
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }

  /** Follows all changes at GitHub. */
  follow(github: GitHubSimulator, isOurs: (login: string) => boolean): void {
    github.on("change", ({ event, action, actor, repository, issueNumber, payload }) => {
      const byUs = isOurs(actor.login);
      const called = repository === null ? "" : this.#nameOf(repository);
      const about = issueNumber === null ? "" : ` ${hashOf(called, issueNumber)}`;
      const { comment } = payload as { readonly comment?: TextOf };
      const { issue } = payload as { readonly issue?: TextOf };
      for (const said of [issue?.title, issue?.body, comment?.body]) {
        this.#shown.add(withoutToken(said ?? ""));
      }
      const says = comment === undefined ? issue?.title : withoutToken(comment.body ?? "");
      this.tell(`github: ${event} ${action}${about} by ${actor.login} ("${says ?? ""}")`);
      if (event !== "issues" || issueNumber === null || repository === null) return;
      const thing = issueName(called, issueNumber);
      if (action === "reopened" && !byUs) this.reopened.add(thing);
      if (action === "closed") this.reopened.delete(thing);
    });
  }
}

const LINE = /^.*<!-- tandem-author -->\n*/;
const TOKEN = /(?<!\s)\s*<!-- tandem:(\w+) -->\s*$/;

/** The token in a body, if it has one. */
export function tokenIn(body: string | null): string | null {
  return TOKEN.exec(body ?? "")?.[1] ?? null;
}

/** The hidden marker at the end of a body, or an empty text. */
export function markerIn(body: string | null): string {
  return TOKEN.exec(body ?? "")?.[0] ?? "";
}

/** A body as its author wrote it: without the line that names the author, and without the hidden marker. */
export function withoutToken(body: string | null): string {
  return takeAttribution((body ?? "").replace(TOKEN, ""));
}

/** A person who edits a body in the browser leaves the line and the marker unchanged. */
export function keepingToken(before: string | null, value: string): string {
  const [line = ""] = LINE.exec(before ?? "") ?? [];
  const [token = ""] = TOKEN.exec(before ?? "") ?? [];
  return `${line}${value}${token}`;
}

function hashOf(name: string, number: number): string {
  return `${name === TEST_REPOSITORY ? "" : name}#${String(number)}`;
}

function who(side: Side): string {
  return side === "record" ? "app" : "person at github";
}
