/** Both ends of a history, as the input of its verdict. */
import type { Json } from "../../../model/content.ts";
import type { RequestEntry } from "../../github/faults/index.ts";
import type { GitHubSimulator } from "../../github/simulator.ts";
import type { AppUser, AppWorld, ConnectedSite, Site } from "../world/index.ts";
import type { History, LedgerView, LedgerWatch } from "../history/index.ts";

/** The content of a thing, field by field; labels sorted. */
export type Says = Readonly<Record<string, Json>>;

/** A row of the app, or an issue or comment. */
export interface Thing {
  readonly says: Says;
  readonly archived: boolean;
  /** The login of its owner or author. */
  readonly by: string | null;
  /** The key of a record's author. */
  readonly userId?: string | null;
  /** The name in the line above a posted text. */
  readonly nameAbove?: string | null;
  /** The token of the create that made it, or of the text that it was copied from. */
  readonly token?: string | null;
  /** The project of a task; the task or issue of a comment. */
  readonly belongsTo?: string;
  /** A resource that we closed as surplus, or a comment below one. */
  readonly isSurplus?: boolean;
  /** Whether its repository is not connected. */
  readonly isOutside?: boolean;
}

/** The whole state at the end. */
export interface Ending {
  readonly world: AppWorld;
  readonly places: readonly ConnectedSite[];
  /** All repositories, with and without a connection. */
  readonly sites: readonly Site[];
  readonly github: GitHubSimulator;
  readonly history: History;
  readonly ledger: LedgerView;
  readonly watch: LedgerWatch;
  /** Tandem's requests until it had come to rest. */
  readonly requests: readonly RequestEntry[];
  /** The number of possible causes of calls: acts of people, deaths, and the passing of time. */
  readonly happenings: number;
  /** Differences that were left after one poll, before a sweep. */
  readonly behind: readonly string[];
  readonly overdue: readonly string[];
  readonly restless: readonly string[];
}

/** The ending with the content of both sides, by names such as `tasks:1` and `issue:7`. */
export interface Scene extends Ending {
  readonly records: ReadonlyMap<string, Thing>;
  readonly resources: ReadonlyMap<string, Thing>;
  readonly users: readonly AppUser[];
}

export function text(value: Json | undefined): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
