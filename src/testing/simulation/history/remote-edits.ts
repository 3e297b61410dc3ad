/**
 * Counts the remote edits that a write of ours replaced before Tandem had read them.
 *
 * 1. A person's value of a field counts as read when a later response or webhook shows it.
 * 2. A write of ours that changes the field earlier has overwritten it unread.
 * 3. The overwrite was within the round trip if the same piece of work had read the resource before the edit.
 */
import type { Conflict } from "../../../model/event.ts";
import type { GitHubSimulator } from "../../github/index.ts";
import type { Fetch } from "./history.ts";
import type { LedgerView } from "./ledger-view.ts";
import { commentName, type ConnectedSite, issueName, thingOfResource } from "../world/index.ts";
import { parsed, type Saying } from "./sayings.ts";
import { TEST_REPOSITORY } from "../../test-tandem.ts";
import { isElement, shownOf, THERE, thingsShown } from "./shown.ts";

/** Counts of one history, or of many. */
export interface RemoteEditCounts {
  /** Fields that people changed at GitHub. */
  readonly remoteEdits: number;
  /** Those that a write of ours replaced before any read, and that no conflict names. */
  readonly overwrittenUnread: number;
  /** Overwritten edits that landed between the response to our own read and our write. */
  readonly withinRoundTrip: number;
  /** Overwritten edits that were made before our own read, whose response lagged behind them. */
  readonly behindStaleRead: number;
  /** In addition to overwritten ones: edits of a resource that was deleted for its record. */
  readonly deletedUnread: number;
  /**
   * In addition to overwritten ones: edits that people undid unread, so that the resource showed again the
   * value that Tandem had read last. No read would have shown a change.
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

/** The value of a field at GitHub, and its author. */
interface Version {
  readonly thing: string;
  readonly field: string;
  readonly value: string;
  readonly at: number;
  readonly byPerson: boolean;
  /** The responses and webhooks that showed it. */
  readonly shownBy: readonly Saying[];
  /** The last shown version before it; `null`: none. */
  readonly lastShown: Pick<Version, "value" | "shownBy"> | null;
}

type Window = "round trip" | "stale read" | "no read" | "deletion" | "taken back";

export interface Overwritten extends Version {
  readonly window: Window;
}

/** The responses that a piece of work received, by the thing that they showed. */
export type HeardOf = Map<string, Heard>;

interface Heard {
  readonly producedAt: number;
  /** Whether it showed the thing's content; `false`: it said that nothing is new. */
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

  /** Whether a person is acting at GitHub now. */
  get isPerson(): boolean {
    return this.#isPerson;
  }

  /** Attributes all changes at GitHub during the act to people, under every login. */
  async act(deed: () => Promise<void>): Promise<void> {
    this.#isPerson = true;
    await deed();
    this.#isPerson = false;
  }

  /** Records when each response was produced. */
  watch(network: Fetch): Fetch {
    return async (input, init) => {
      const answer = await network(input, init);
      this.#producedAt.set(answer, this.#tick());
      return answer;
    };
  }

  /** A request takes effect now; `sender` has the responses that its work has received. */
  takesEffect(sender: HeardOf | null): void {
    this.#sender = sender;
  }

  /** Tandem received a response, or a webhook, which has none. */
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
   * A response said that nothing changed since Tandem's known content: a read that shows nothing. If it followed
   * an edit that was shown before, Tandem asked with the validator of content that it had not merged.
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

  /** Edits that were overwritten unread and that no conflict names. */
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
      // The same value can occur more than once: each conflict names one occurrence.
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

  /** A resource is deleted. If Tandem does so, people's unread edits are lost with it. */
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
    // A validator belongs to a shown content. If no response has shown the edit, that response was stale.
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

/** Whether people restored the value that Tandem had read last. */
function isTakenBack({ value, window, lastShown }: Overwritten): boolean {
  if (window === "deletion" || lastShown?.value !== value) return false;
  return lastShown.shownBy.some(({ unsaid }) => !unsaid);
}

/** Whether a conflict names the overwritten value; for a set, whether it contained the element. */
function isNamedBy({ field, lost }: Conflict, { field: said, value }: Version): boolean {
  const [name, element] = said.split("=", 2);
  if (element === undefined) return field === said && lost === value;
  return field === name && Array.isArray(lost) && lost.includes(element) === (value === THERE);
}

/** The issue or comment at the address of a request. */
function thingAsked(asks: string): string | null {
  const [, comment, issue] = /\/issues\/(?:comments\/(\d+)|(\d+))$/.exec(asks) ?? [];
  if (comment !== undefined) return commentName(comment);
  return issue === undefined ? null : issueName(TEST_REPOSITORY, Number(issue));
}
