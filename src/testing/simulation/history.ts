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
import { Names } from "./names.ts";
import { issueName, type WorldKind } from "./places.ts";
import { issuesSaid, kept, type Saying } from "./sayings.ts";
import { takeAttribution } from "../../integrations/github/attribution.ts";

/** What a long run of histories must have had in each world, each at least once. */
export const TURNS = {
  staying: [],
  moving: [
    "an issue was transferred to where it is connected",
    "an issue was transferred to where nothing is connected",
    "an issue came from where nothing is connected",
    "a repository was renamed",
    "a name was given up and taken by somebody",
    "somebody signed up beside a placeholder",
    "a placeholder's row became somebody's",
    "Tandem followed a move",
    "Tandem took an issue for moved away",
    "Tandem linked an author",
  ],
  polling: [
    "both sides of a pairing were edited at once",
    "the provider's clock stepped back",
    "somebody acted as the account",
    "a text was copied with its marker",
    "a marker was removed",
  ],
} as const satisfies Readonly<Record<WorldKind, readonly string[]>>;
export type Turn = (typeof TURNS)[WorldKind][number];
export const ALL_TURNS: readonly Turn[] = Object.values(TURNS).flat();

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

interface TextOf {
  readonly title?: string;
  readonly body?: string | null;
}

export class History {
  readonly story: string[] = [];
  readonly names = new Names();
  /** Whom the app put down as the author of what it made, by record. */
  readonly authors = new Map<string, string>();
  /** What happened once in a while only, each as often as it did. */
  readonly turns: Turn[] = [];
  readonly labels = new Map<string, LabelEdit>();
  /** Things a person deleted, and whether what was unsent of them has to be named. */
  readonly deleted = new Map<string, { readonly paired: boolean }>();
  /** Things that people made with a marker of ours; of a comment, its issue. */
  readonly copies = new Map<string, string>();
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

  /** Something of the kinds that a long run must have had. */
  turn(turn: Turn): void {
    this.turns.push(turn);
  }

  /** A thing was taken elsewhere at GitHub: what was done to it was done to what it is there. */
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

  /** A label fell off by nobody's wish: whether it is put back or not, nobody has lost an edit. */
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
        text.includes(label) &&
        issuesSaid(text, this.names).some(({ labels }) => labels.includes(label)),
    );
  }

  /** Whether Tandem was told that a label is gone, after it was taken away at GitHub. */
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

  /** Somebody else may have a name that a repository of ours has given up. */
  #nameOf(repository: Repository): string {
    return this.names.ofRepository(repository.id) ?? `somebody's ${fullNameOf(repository)}`;
  }

  #said(): readonly Saying[] {
    return this.#told.filter(({ unsaid }) => !unsaid);
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }

  /** Follows what happens at GitHub, whoever did it. */
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

/** The token that was put into a body, if there is one. */
export function tokenIn(body: string | null): string | null {
  return TOKEN.exec(body ?? "")?.[1] ?? null;
}

/** What is hidden at the end of a body, or nothing. */
export function markerIn(body: string | null): string {
  return TOKEN.exec(body ?? "")?.[0] ?? "";
}

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

function hashOf(name: string, number: number): string {
  return `${name === TEST_REPOSITORY ? "" : name}#${String(number)}`;
}

function who(side: Side): string {
  return side === "record" ? "app" : "person at github";
}
