/** Both ends of a history, as a judge looks at them. */
import type { Json } from "../../model/content.ts";
import type { RequestEntry } from "../github/request-log.ts";
import type { GitHubSimulator } from "../github/simulator.ts";
import type { AppUser, AppWorld } from "./app-world.ts";
import type { History } from "./history.ts";
import type { LedgerView } from "./ledger-view.ts";
import type { LedgerWatch } from "./ledger-watch.ts";
import type { ConnectedSite, Site } from "./places.ts";

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
  /** Whom the line above what was posted names. */
  readonly nameAbove?: string | null;
  /** The token of the create that made it, or of what it was copied from. */
  readonly token?: string | null;
  /** The project of a task; the task or issue of a comment. */
  readonly belongsTo?: string;
  /** A resource that we closed as surplus, or a comment below one. */
  readonly isSurplus?: boolean;
  /** Where nothing is connected. */
  readonly isOutside?: boolean;
}

/** Everything there is at the end. */
export interface Ending {
  readonly world: AppWorld;
  readonly places: readonly ConnectedSite[];
  /** All repositories, also those that nothing is connected to. */
  readonly sites: readonly Site[];
  readonly github: GitHubSimulator;
  readonly history: History;
  readonly ledger: LedgerView;
  readonly watch: LedgerWatch;
  /** The requests of Tandem until it had come to rest. */
  readonly requests: readonly RequestEntry[];
  /** How often anybody did anything, somebody died, or time passed: what a call may come of. */
  readonly happenings: number;
  /** The things that still differed after one poll, before a sweep. */
  readonly behind: readonly string[];
  readonly overdue: readonly string[];
  readonly restless: readonly string[];
}

/** The ending with both sides read, by names such as `tasks:1` and `issue:7`. */
export interface Scene extends Ending {
  readonly records: ReadonlyMap<string, Thing>;
  readonly resources: ReadonlyMap<string, Thing>;
  readonly users: readonly AppUser[];
}

export function text(value: Json | undefined): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
