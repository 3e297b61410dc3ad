/**
 * What both sides were told and what each has shown: enough to say, at the end, whether an edit
 * disappeared without a trace.
 *
 * Every value is written once in a history, so that seeing it is proof of whose edit it was.
 */
import type { GitHubSimulator } from "../github/index.ts";

/** The last edit of each side to one field, and whether it still waits to be seen. */
interface FieldHistory {
  local: string | null;
  /** The local edit has not reached the resource, or was covered there by another of our writes. */
  localPending: boolean;
  remote: string | null;
  /** What the resource showed last. */
  shown: string | null;
}

export class History {
  readonly story: string[] = [];
  /** By `issue:7:title` and `comment:12:body`. */
  readonly #fields = new Map<string, FieldHistory>();
  /** Everything that Tandem was ever told by GitHub: webhooks that arrived, answers it read. */
  readonly #told: string[] = [];
  edits = 0;

  tell(line: string): void {
    this.story.push(line);
  }

  hear(text: string): void {
    this.#told.push(text);
  }

  /** Whether Tandem could have known of a value. */
  wasTold(value: string): boolean {
    return this.#told.some((text) => text.includes(value));
  }

  /** Follows what the resource shows, whoever wrote it. */
  follow(github: GitHubSimulator, ours: string): void {
    github.on("change", (happening) => {
      const { issue, comment } = happening.payload as {
        readonly issue?: { readonly number: number; readonly title: string; readonly body: string };
        readonly comment?: { readonly id: number; readonly body: string };
      };
      const byUs = happening.actor.login === ours;
      this.tell(`github: ${happening.event} ${happening.action} by ${happening.actor.login}`);
      if (happening.event === "issues" && issue !== undefined) {
        const key = `issue:${String(issue.number)}`;
        this.#shown(`${key}:title`, issue.title, byUs);
        this.#shown(`${key}:body`, withoutToken(issue.body), byUs);
      }
      if (happening.event === "issue_comment" && comment !== undefined) {
        this.#shown(`comment:${String(comment.id)}:body`, withoutToken(comment.body), byUs);
      }
    });
  }

  /** A person edited the record. `key` is the resource's, or a record's until it is paired. */
  localEdit(key: string, value: string): void {
    this.edits += 1;
    const field = this.#field(key);
    field.local = value;
    field.localPending = true;
    this.tell(`app: ${key} = ${value}`);
  }

  /** A person edited the resource. */
  remoteEdit(key: string, value: string): void {
    this.edits += 1;
    this.#field(key).remote = value;
    this.tell(`person at github: ${key} = ${value}`);
  }

  fields(): ReadonlyMap<string, Readonly<FieldHistory>> {
    return this.#fields;
  }

  /** Our own write of the local value ends its wait; a person's edit after that supersedes it. */
  #shown(key: string, value: string, byUs: boolean): void {
    const field = this.#field(key);
    const changed = field.shown !== value;
    field.shown = value;
    if (byUs && changed) field.localPending = field.local !== null && value !== field.local;
  }

  #field(key: string): FieldHistory {
    const known = this.#fields.get(key);
    if (known !== undefined) return known;
    const fresh: FieldHistory = { local: null, localPending: false, remote: null, shown: null };
    this.#fields.set(key, fresh);
    return fresh;
  }
}

/** A body as people wrote it. */
export function withoutToken(body: string | null): string {
  return (body ?? "").replace(/\s*<!-- tandem:\w+ -->\s*$/, "");
}
