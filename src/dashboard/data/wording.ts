/** Texts for times, names, values and counts. Pure: the time and its zone are arguments. */
import type {
  ApiAccount,
  ApiBackfill,
  ApiConnection,
  ApiDisabledPairing,
  ApiEvent,
  ApiStatus,
} from "../../server/protocol/index.ts";
import type { EventState } from "../../model/event.ts";

const STATE_NAMES: Readonly<Record<EventState, string>> = {
  queued: "Queued",
  processing: "Processing",
  completed: "Completed",
  errored: "Errored",
  canceled: "Canceled",
  ignored: "Ignored",
  duplicate: "Duplicate",
  disabled: "Disabled",
};

export function stateName(state: EventState): string {
  return STATE_NAMES[state];
}

/** `tasks 42`; a record that is not created yet has no id. */
export function recordName(event: Pick<ApiEvent, "record_type" | "record_id">): string {
  return event.record_id === null
    ? `new in ${event.record_type}`
    : `${event.record_type} ${event.record_id}`;
}

/** `issue #7`, `comment 3001`; a resource that is not created yet has no id. */
export function resourceName(
  event: Pick<ApiEvent, "resource_type" | "integration_external_id">,
): string {
  const { integration_external_id: id } = event;
  if (event.resource_type === null) return "no resource";
  const kind = event.resource_type.replace(/^issue_/, "").replaceAll("_", " ");
  if (id === null) return `new ${kind}`;
  return kind === "issue" ? `issue #${id}` : `${kind} ${id}`;
}

/** The subject of an event: its title, or the first line of its text. Empty if unknown. */
export function subject(event: Pick<ApiEvent, "content">): string {
  const { title, body } = event.content ?? {};
  const text = typeof title === "string" ? title : typeof body === "string" ? body : "";
  return text.trim().split("\n")[0] ?? "";
}

/** The direction of an event in words, for the arrow. */
export function directionName(direction: ApiEvent["direction"]): string {
  return direction === "inbound" ? "from GitHub to the app" : "from the app to GitHub";
}

/** `14:03:07` in the reader's zone, or in the given one. */
export function clockTime(time: string, timeZone?: string): string {
  return format(time, { hour: "2-digit", minute: "2-digit", second: "2-digit" }, timeZone);
}

/** `14:03` */
export function shortTime(time: string, timeZone?: string): string {
  return format(time, { hour: "2-digit", minute: "2-digit" }, timeZone);
}

/** `2 Mar, 14:03:07` */
export function dayTime(time: string, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", ...zone });
  return `${day.format(new Date(time))}, ${clockTime(time, timeZone)}`;
}

function format(time: string, parts: Intl.DateTimeFormatOptions, timeZone?: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    ...parts,
    hourCycle: "h23",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(time));
}

/** `Today`, `Yesterday`, or `Monday, 2 March 2026`. */
export function dayName(time: string, now: Date, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat("en-CA", { dateStyle: "short", ...zone });
  const at = new Date(time);
  const dayBefore = new Date(now.getTime() - 24 * 3_600_000);
  if (day.format(at) === day.format(now)) return "Today";
  if (day.format(at) === day.format(dayBefore)) return "Yesterday";
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "full", ...zone }).format(at);
}

/** The time between two times: `640 ms`, `1.2 s`, `3 min`. */
export function duration(from: string, to: string): string {
  const millis = new Date(to).getTime() - new Date(from).getTime();
  if (millis < 1_000) return `${Math.max(0, Math.round(millis))} ms`;
  if (millis < 60_000) return `${(millis / 1_000).toFixed(1)} s`;
  return `${Math.round(millis / 60_000)} min`;
}

/** `1 task`, `2 tasks` */
export function count(many: number, one: string, more = `${one}s`): string {
  return `${many} ${many === 1 ? one : more}`;
}

/** A field's value, for people. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") return value === "" ? "empty" : value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(valueText).join(", ");
  if (typeof value === "object" && "login" in value) return `@${String(value.login)}`;
  return JSON.stringify(value);
}

export type Tone = "good" | "waiting" | "bad";

/** An account's state in a few words. */
export function accountStanding(
  account: ApiAccount,
  timeZone?: string,
): { readonly tone: Tone; readonly text: string } {
  const reason = account.reason === null ? "" : `: ${account.reason}`;
  switch (account.state) {
    case "active":
      return { tone: "good", text: "active" };
    case "paused": {
      const until =
        account.paused_until === null ? "" : ` until ${clockTime(account.paused_until, timeZone)}`;
      return { tone: "waiting", text: `paused${until}${reason}` };
    }
    case "needs_attention":
      return { tone: "bad", text: `needs attention${reason}` };
  }
}

/** A connection's open directions and its problems. */
export function connectionStanding(connection: ApiConnection): {
  readonly tone: Tone;
  readonly text: string;
} {
  const { tone, text } = switchStanding(connection);
  const { inbound, outbound, poll_error: error, untracked_records: untracked } = connection;
  const isPolled = inbound || outbound;
  const fails = error !== null && isPolled ? `; polls fail: ${error}` : "";
  const left =
    untracked !== null && untracked > 0
      ? `; ${count(untracked, "untracked record")}: tandem reconcile ${connection.container}`
      : "";
  if (fails !== "") return { tone: "bad", text: `${text}${fails}${left}` };
  return { tone: left === "" ? tone : "waiting", text: `${text}${left}` };
}

/** Webhooks that were refused within a day, with the causes; empty if there are none. */
export function refusedWebhooks(refused: ApiStatus["refused_webhooks"]): string {
  const all = refused.reduce((sum, { count: many }) => sum + many, 0);
  if (all === 0) return "";
  const causes = refused.map(({ code, count: many }) => `${code} (${String(many)})`);
  return `${count(all, "webhook")} refused within a day: ${causes.join(", ")}`;
}

function switchStanding(connection: ApiConnection): { readonly tone: Tone; readonly text: string } {
  const { inbound, outbound, paused_reason: reason } = connection;
  if (inbound && outbound) return { tone: "good", text: "both directions on" };
  const because = reason === null ? "" : `: ${reason}`;
  if (inbound) return { tone: "waiting", text: `only from ${connection.integration}${because}` };
  if (outbound) return { tone: "waiting", text: `only to ${connection.integration}${because}` };
  return { tone: "waiting", text: `paused${because}` };
}

/** The cause of a disabled pairing, in two words. */
export const OFF_CAUSES: Readonly<Record<ApiDisabledPairing["cause"], string>> = {
  quarantined: "two writers",
  unmapped: "not mapped",
  restored: "from a backup",
};

/** Held runs and disabled pairings, which wait for a person, as a line; empty if there are none. */
export function forPerson({
  held_runs: held,
  disabled_pairings: { count: pairings },
}: Pick<ApiStatus, "held_runs" | "disabled_pairings">): string {
  const runs = held.filter(({ state }) => state === "held").length;
  return [
    runs > 0 ? `${count(runs, "run")} waiting for approval` : "",
    pairings > 0 ? `${count(pairings, "pairing")} switched off` : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

const BACKFILL_STEPS: Readonly<Record<ApiBackfill["step"], string>> = {
  list: "listing resources",
  index_records: "reading records for pairs",
  index_resources: "reading resources for pairs",
  pair: "pairing",
  create: "creating missing resources",
  done: "done",
};

/** The progress of a backfill, and what it waits for. */
export function backfillLine(backfill: ApiBackfill): string {
  const { step, listed, expected, paired, created, waits_for: waitsFor, ambiguous } = backfill;
  const listing = expected === null ? `${listed} listed` : `${listed} of about ${expected} listed`;
  const counts = [
    listing,
    paired > 0 ? `${paired} paired` : "",
    created > 0 ? `${created} created` : "",
    ambiguous.count > 0 ? count(ambiguous.count, "ambiguous key") : "",
  ].filter((part) => part !== "");
  return `${waitsFor ?? BACKFILL_STEPS[step]}: ${counts.join(", ")}`;
}
