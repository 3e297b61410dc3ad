/**
 * Remote edits that a write of ours replaced before Tandem had read them. Every one is counted.
 *
 * 1. A person's value of a field is read once an answer or webhook that was produced after it shows it.
 * 2. A write of ours that changes the field before that has overwritten it unread.
 * 3. It was within the round trip where the same piece of work had read the resource before the edit.
 */
import type { Conflict } from "../../model/event.ts";
import type { GitHubSimulator } from "../github/index.ts";
import type { Fetch } from "./history.ts";
import type { LedgerView } from "./ledger-view.ts";
import { commentName, issueName, type ConnectedSite, thingOfResource } from "./places.ts";
import { parsed, type Saying } from "./sayings.ts";
import { TEST_REPOSITORY } from "../test-tandem.ts";
import { isElement, shownOf, THERE, thingsShown } from "./shown.ts";

/** Counts of a history, or of many. */
export interface RemoteEditCounts {
  /** Fields that people changed at GitHub. */
  readonly remoteEdits: number;
  /** Of these: replaced by a write of ours before any read, and named in no conflict. */
  readonly overwrittenUnread: number;
  /** Of the overwritten: landed between the answer to our own read and our write. */
  readonly withinRoundTrip: number;
  /** Of the overwritten: made before our own read, whose answer lagged behind them. */
  readonly behindStaleRead: number;
  /** Beside the overwritten: gone with a resource that was deleted for its record. */
  readonly deletedUnread: number;
  /**
   * Beside the overwritten: people had taken their own edit back unread, so the resource said again what
   * Tandem had read of it last. No read would have shown anything new.
   */
  readonly takenBackUnread: number;
}

export const NO_REMOTE_EDITS: RemoteEditCounts = {
  remoteEdits: 0,
  overwrittenUnread: 0,
  withinRoundTrip: 0,
  behindStaleRead: 0,
  deletedUnread: 0,
  takenBackUnread: 0,
};

/** What a field says at GitHub, and who set it. */
interface Version {
  readonly thing: string;
  readonly field: string;
  readonly value: string;
  readonly at: number;
  readonly byPerson: boolean;
  /** The answers and webhooks that showed it. */
  readonly shownBy: readonly Saying[];
  /** What was shown last before it; `null`: nothing. */
  readonly lastShown: Pick<Version, "value" | "shownBy"> | null;
}

type Window = "round trip" | "stale read" | "no read" | "deletion" | "taken back";

export interface Overwritten extends Version {
  readonly window: Window;
}

/** The answers that a piece of work heard, by the thing that they were about. */
export type HeardOf = Map<string, Heard>;

interface Heard {
  readonly producedAt: number;
  /** It showed what the thing says; `false`: that nothing is new there. */
  readonly shows: boolean;
}

export class RemoteEdits {
  readonly #versions = new Map<string, Version>();
  readonly #producedAt = new WeakMap<Response, number>();
  readonly #overwritten: Overwritten[] = [];
  #sender: HeardOf | null = null;
  #isPerson = false;
  #now = 0;
  #edits = 0;

  /** Whether it is people who act at GitHub now. */
  get isPerson(): boolean {
    return this.#isPerson;
  }

  /** What happens at GitHub meanwhile is done by people, whoever they act as. */
  async act(deed: () => Promise<void>): Promise<void> {
    this.#isPerson = true;
    await deed();
    this.#isPerson = false;
  }

  /** Notes when each answer was produced. */
  watch(network: Fetch): Fetch {
    return async (input, init) => {
      const answer = await network(input, init);
      this.#producedAt.set(answer, this.#tick());
      return answer;
    };
  }

  /** A request takes effect now; its sender has heard of some things. */
  takesEffect(sender: HeardOf | null): void {
    this.#sender = sender;
  }

  /** An answer reached Tandem, or a webhook, which has none. */
  heard(saying: Saying, answer?: Response, by?: HeardOf): void {
    const producedAt = answer === undefined ? this.#now : this.#producedAt.get(answer);
    if (producedAt === undefined) return;
    for (const [thing, fields] of thingsShown(parsed(saying.text))) {
      by?.set(thing, { producedAt, shows: true });
      for (const [key, version] of this.#of(thing)) {
        const isShown = shownOf(fields, version.field) === version.value;
        if (version.at > producedAt || !isShown) continue;
        this.#versions.set(key, { ...version, shownBy: [...version.shownBy, saying] });
      }
    }
  }

  /**
   * An answer said that nothing has changed since what Tandem knows: a read, but it shows nothing. Where it came
   * after an edit that somebody had been shown, Tandem asked with a validator of what it has not merged.
   */
  heardNothingNew(asks: string | undefined, answer: Response, by: HeardOf | undefined): void {
    const producedAt = this.#producedAt.get(answer);
    const thing = asks === undefined ? null : thingAsked(asks);
    if (producedAt !== undefined && thing !== null) by?.set(thing, { producedAt, shows: false });
  }

  follow(github: GitHubSimulator): void {
    github.on("change", ({ action, payload }) => {
      const isNew = action === "opened" || action === "created";
      const [[first] = []] = thingsShown(payload);
      if (action === "deleted" && first !== undefined) this.#end(first);
      else this.#note(payload, isNew);
    });
  }

  /** What was overwritten unread, and no conflict names. */
  unnamed({ events }: LedgerView, places: readonly ConnectedSite[]): readonly Overwritten[] {
    const named = events.flatMap(({ connectionId, resourceType, externalId, conflicts }) => {
      if (connectionId === null) return [];
      const thing = thingOfResource(
        { connectionId, resourceType: resourceType ?? "", externalId },
        places,
      );
      return conflicts.map((conflict) => ({ conflict, thing }));
    });
    const unread = this.#overwritten.filter((version) => {
      if (version.shownBy.some(({ unsaid }) => !unsaid)) return false;
      const index = named.findIndex(
        ({ thing, conflict }) => thing === version.thing && isNamedBy(conflict, version),
      );
      // A state is said more than once: each conflict names one of them.
      if (index >= 0 && !isElement(version.field)) named.splice(index, 1);
      return index < 0;
    });
    return unread.map((version) =>
      isTakenBack(version) ? { ...version, window: "taken back" } : version,
    );
  }

  counts(unnamed: readonly Overwritten[]): RemoteEditCounts {
    const count = (wanted: Window) => unnamed.filter(({ window }) => window === wanted).length;
    return {
      remoteEdits: this.#edits,
      overwrittenUnread: unnamed.length - count("deletion") - count("taken back"),
      withinRoundTrip: count("round trip"),
      behindStaleRead: count("stale read"),
      deletedUnread: count("deletion"),
      takenBackUnread: count("taken back"),
    };
  }

  #note(payload: unknown, isNew: boolean): void {
    const at = this.#tick();
    for (const [thing, fields] of thingsShown(payload)) {
      const known = [...this.#of(thing)].map(([, { field }]) => field);
      for (const field of new Set([...fields.keys(), ...known])) {
        const value = shownOf(fields, field);
        if (value !== undefined) this.#set({ thing, field, value, at }, isNew);
      }
    }
  }

  #set(said: Pick<Version, "thing" | "field" | "value" | "at">, isNew: boolean): void {
    const key = `${said.thing}|${said.field}`;
    const before = this.#versions.get(key);
    if (before?.value === said.value) return;
    if (this.#isPerson && !isNew) this.#edits += 1;
    if (!this.#isPerson && before?.byPerson === true) {
      this.#overwritten.push({ ...before, window: this.#windowOf(before) });
    }
    const lastShown = before === undefined ? null : lastShownOf(before);
    this.#versions.set(key, { ...said, byPerson: this.#isPerson, shownBy: [], lastShown });
  }

  /** A resource is deleted: by us, what people said there goes with it. */
  #end(thing: string): void {
    for (const [key, version] of this.#of(thing)) {
      this.#versions.delete(key);
      if (this.#isPerson || !version.byPerson) continue;
      this.#overwritten.push({ ...version, window: "deletion" });
    }
  }

  #windowOf({ thing, at, shownBy }: Version): Window {
    const heard = this.#sender?.get(thing);
    if (heard === undefined) return "no read";
    if (heard.producedAt < at) return "round trip";
    // A validator comes with an answer that shows what it is of: one of an edit that no answer has shown lagged.
    return heard.shows || shownBy.length === 0 ? "stale read" : "no read";
  }

  #of(thing: string): readonly (readonly [string, Version])[] {
    return [...this.#versions].filter(([, version]) => version.thing === thing);
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }
}

function lastShownOf({ value, shownBy, lastShown }: Version): Version["lastShown"] {
  return shownBy.length > 0 ? { value, shownBy } : lastShown;
}

/** Whether people had put back what Tandem had read last. */
function isTakenBack({ value, window, lastShown }: Overwritten): boolean {
  if (window === "deletion" || lastShown?.value !== value) return false;
  return lastShown.shownBy.some(({ unsaid }) => !unsaid);
}

/** Whether a conflict names what was overwritten: of a set, that it had the element, or had it not. */
function isNamedBy({ field, lost }: Conflict, { field: said, value }: Version): boolean {
  const [name, element] = said.split("=", 2);
  if (element === undefined) return field === said && lost === value;
  return field === name && Array.isArray(lost) && lost.includes(element) === (value === THERE);
}

/** The issue or comment that is asked for by its own address. */
function thingAsked(asks: string): string | null {
  const [, comment, issue] = /\/issues\/(?:comments\/(\d+)|(\d+))$/.exec(asks) ?? [];
  if (comment !== undefined) return commentName(comment);
  return issue === undefined ? null : issueName(TEST_REPOSITORY, Number(issue));
}
