/** The sentence at the top of the page: do both sides agree, and how much is still to come? Pure. */
import type { ApiStatus } from "../../server/protocol/index.ts";
import type { Agreement } from "./agreement.ts";
import { count, forPerson, type Tone } from "./wording.ts";

export interface OverallStanding {
  readonly tone: Tone;
  readonly headline: string;
  readonly detail: string;
}

/** `agreement` is the result of the demo's comparison; without it, only Tandem's own counts are known. */
export function standingOf(status: ApiStatus | null, agreement: Agreement | null): OverallStanding {
  if (status === null) return { tone: "waiting", headline: "Connecting", detail: "" };
  if (status.foreign_instance !== null) {
    return { tone: "bad", headline: "No event is processed", detail: "" };
  }
  const errored = status.live.errored;
  const waiting = status.undrained + status.live.queued + status.live.processing;
  const underWay = [
    waiting > 0 ? `${count(waiting, "change")} pending` : "",
    errored > 0 ? `${count(errored, "event")} failed` : "",
  ].filter((part) => part !== "");

  if (agreement !== null) {
    const { compared, differences } = agreement;
    if (differences.length === 0) {
      const detail = [`${count(compared, "pair")} compared`, ...underWay].join(", ");
      return { tone: "good", headline: "Both sides agree", detail };
    }
    const first = differences.slice(0, 2).map(describe);
    const rest = differences.length - first.length;
    const detail = [...first, ...(rest > 0 ? [`and ${count(rest, "more", "more")}`] : [])].join(
      "; ",
    );
    const tone = errored > 0 && waiting === 0 ? "bad" : "waiting";
    return { tone, headline: `${differences.length} of ${compared} differ`, detail };
  }
  if (errored > 0) {
    return {
      tone: "bad",
      headline: `${count(errored, "event")} failed`,
      detail: waiting > 0 ? `${count(waiting, "change")} pending` : "See the errors below.",
    };
  }
  if (waiting > 0) {
    return { tone: "waiting", headline: `${count(waiting, "change")} pending`, detail: "" };
  }
  const person = forPerson(status);
  if (person !== "") return { tone: "bad", headline: "A person must decide", detail: person };
  if (status.backfills.length > 0) {
    return { tone: "waiting", headline: "A backfill is running", detail: "" };
  }
  const disabled = status.live.disabled;
  const detail =
    disabled > 0 ? `${count(disabled, "event")} held by a disabled connection or pairing` : "";
  return { tone: "good", headline: "Nothing waits", detail };
}

function describe(difference: Agreement["differences"][number]): string {
  const { task, issue, what } = difference;
  return task === null ? `issue #${issue ?? ""}: ${what}` : `task ${task}: ${what}`;
}
