/** All details of one event: changes, conflicts, error, and links to other events. */
import { useState } from "preact/hooks";
import type { ApiEvent } from "../server/protocol/index.ts";
import { contrast, excerpt } from "./elements/index.ts";
import {
  clockTime,
  count,
  duration,
  placeHash,
  pointersOf,
  resourceName,
  send,
  valueText,
} from "./data/index.ts";

interface Shown {
  readonly event: ApiEvent;
}

export function EventDetails({
  event,
  failed,
}: Shown & { readonly failed: (error: unknown) => void }) {
  return (
    <>
      {event.error === null ? null : <Failure event={event} failed={failed} />}
      {event.conflicts.length === 0 ? null : <Conflicts event={event} />}
      {event.changes.length === 0 ? null : <Changes event={event} />}
      <Pointers event={event} />
      <Facts event={event} />
    </>
  );
}

function Failure({ event, failed }: Shown & { readonly failed: (error: unknown) => void }) {
  const [asked, setAsked] = useState(false);
  const { error } = event;
  if (error === null) return null;
  const restart = (): void => {
    setAsked(true);
    send("POST", `/api/events/${encodeURIComponent(event.id)}/restart`)
      .catch(failed)
      .finally(() => setAsked(false));
  };
  const facts = [
    error.code,
    error.httpStatus === null ? null : `HTTP ${error.httpStatus}`,
    error.requestId === null ? null : `request ${error.requestId}`,
  ].filter((fact) => fact !== null);
  return (
    <div class="block error">
      <h4>{error.message}</h4>
      <p>{error.hint}</p>
      <p class="faint">{facts.join(" · ")}</p>
      {event.state === "errored" ? (
        <button type="button" disabled={asked} onClick={restart}>
          Restart
        </button>
      ) : null}
    </div>
  );
}

/** Why the losing value of a field lost, for people. */
const WHY: Readonly<Record<ApiEvent["conflicts"][number]["why"], string>> = {
  both_changed: "both sides changed it, and this change was later",
  agreed_before: "both sides had agreed on it, and then the other side changed it",
  record_is_newer: "the record was changed later",
  late_write: "an earlier write of ours landed late",
  perhaps_late_write: "a person changed it, or an earlier write of ours landed late",
  covered_by_our_write: "a write of ours overwrote it",
  provider_changed_our_value: "the provider changed the value that we sent",
  record_deleted: "the record was deleted",
  resource_deleted: "the resource was deleted",
  record_moved: "the record was moved away",
  created_twice: "the resource was created twice, and this was the second one",
  initial_pairing: "both existed when they were paired",
};

function Conflicts({ event }: Shown) {
  return (
    <div class="block conflict">
      <h4>{count(event.conflicts.length, "conflict")}</h4>
      {event.conflicts.map((conflict) => (
        <dl key={conflict.field} class="conflict-field">
          <dt>{conflict.field}</dt>
          <dd>
            <span class="verdict">kept</span> <ins>{valueText(conflict.kept)}</ins>
            <span class="faint">
              {" "}
              {conflict.winner === "record" ? "from the app" : "from GitHub"}: {WHY[conflict.why]}
            </span>
          </dd>
          <dd>
            <span class="verdict">lost</span> <del>{valueText(conflict.lost)}</del>
          </dd>
        </dl>
      ))}
    </div>
  );
}

function Changes({ event }: Shown) {
  return (
    <table class="changes">
      <caption class="hidden-text">What changed</caption>
      <tbody>
        {event.changes.map((change) => (
          <tr key={`${change.side} ${change.field}`}>
            <th scope="row">
              {change.field}
              <span class="faint"> in {change.side === "record" ? "the app" : "GitHub"}</span>
            </th>
            <td>
              <Difference from={change.from} to={change.to} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Difference({ from, to }: { readonly from: unknown; readonly to: unknown }) {
  if (typeof from !== "string" || typeof to !== "string" || from === "" || to === "") {
    return (
      <>
        {from === null || from === undefined || from === "" ? null : <del>{valueText(from)}</del>}{" "}
        <ins>{valueText(to)}</ins>
      </>
    );
  }
  const { head, removed, added, tail } = contrast(from, to);
  return (
    <span class="texts">
      {excerpt(head, "end")}
      {removed === "" ? null : <del>{removed}</del>}
      {added === "" ? null : <ins>{added}</ins>}
      {excerpt(tail, "start")}
    </span>
  );
}

function Pointers({ event }: Shown) {
  const pointers = pointersOf(event);
  if (pointers.length === 0) return null;
  return (
    <p class="pointers">
      {pointers.map(({ label, event: id, record }) => {
        if (id !== null) {
          return (
            <a key={label} href={placeHash({ at: "event", id })}>
              {label} event …{id.slice(-6)}
            </a>
          );
        }
        if (record === null) return null;
        return (
          <a key={label} href={placeHash({ at: "explain", ...record })}>
            {label} {record.type} {record.id}
          </a>
        );
      })}
    </p>
  );
}

function Facts({ event }: Shown) {
  const { record_type: type, record_id: record } = event;
  const facts: (readonly [string, string])[] = [
    ["Source", event.source],
    [
      "Resource",
      [resourceName(event), event.integration_record_type]
        .filter((name) => name !== null)
        .join(" in "),
    ],
    ["Resource's time", event.integration_updated_at ?? "unknown"],
    ["Reason", event.reason],
    ["Attempts", String(event.attempts)],
  ];
  if (event.started_at !== null && event.finished_at !== null) {
    facts.push(["Took", duration(event.started_at, event.finished_at)]);
  }
  if (event.state === "queued") facts.push(["Runs at", clockTime(event.run_at)]);
  facts.push(["Event", event.id]);
  return (
    <div class="facts">
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {record === null ? null : (
        <a href={placeHash({ at: "explain", type, id: record })}>
          Explain {type} {record}
        </a>
      )}
    </div>
  );
}
