/** One event of the ledger: a line with its outcome, and all details on demand. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiEvent } from "../server/protocol/index.ts";
import { EventDetails } from "./event-details.tsx";
import { Icon, StateIcon } from "./elements/index.ts";
import {
  clockTime,
  count,
  directionName,
  recordName,
  resourceName,
  stateName,
  subject,
} from "./data/index.ts";

export function EventLine({
  event,
  about = subject(event),
  fresh,
  target,
  failed,
}: {
  readonly event: ApiEvent;
  /** Default: the event's own subject. */
  readonly about?: string | undefined;
  readonly fresh: boolean;
  /** Whether the reader followed a link to this event. */
  readonly target: boolean;
  readonly failed: (error: unknown) => void;
}) {
  const [expanded, setExpanded] = useState(target);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!target) return;
    setExpanded(true);
    button.current?.scrollIntoView({ block: "center" });
    button.current?.focus();
  }, [target]);

  const details = `details-${event.id}`;
  const classes = ["event", `state-${event.state}`, fresh ? "fresh" : "", target ? "target" : ""];
  return (
    <li class={classes.join(" ")} data-event={event.id} data-state={event.state}>
      <button
        ref={button}
        type="button"
        class="event-line"
        aria-expanded={expanded}
        aria-controls={details}
        onClick={() => setExpanded(!expanded)}
      >
        <time dateTime={event.created_at} title={event.created_at}>
          {clockTime(event.created_at)}
        </time>
        <span class={`names ${event.direction}`}>
          <span class="name">{recordName(event)}</span>
          <span class="arrow" title={directionName(event.direction)}>
            <Icon name={event.direction === "outbound" ? "right" : "left"} />
            <span class="hidden-text">{directionName(event.direction)}</span>
          </span>
          <span class="name">{resourceName(event)}</span>
          <span class="subject">{about}</span>
          {event.action === "delete" ? <span class="tag">delete</span> : null}
        </span>
        <Chip event={event} />
        <span class="because">
          {event.because}
          <Gist event={event} />
        </span>
        <Icon name="open" />
      </button>
      <div id={details} class="details" hidden={!expanded}>
        {expanded ? <EventDetails event={event} failed={failed} /> : null}
      </div>
    </li>
  );
}

/** The state as colour, icon and word. It is drawn again at each change, so that readers notice it. */
function Chip({ event }: { readonly event: ApiEvent }) {
  return (
    <span key={event.state} class="chip">
      <StateIcon state={event.state} />
      {stateName(event.state)}
    </span>
  );
}

function Gist({ event }: { readonly event: ApiEvent }) {
  const fields = [...new Set(event.changes.map((change) => change.field))];
  return (
    <>
      {fields.length === 0 ? null : <span class="fields"> {fields.join(", ")}</span>}
      {event.conflicts.length === 0 ? null : (
        <span class="tag warning">{count(event.conflicts.length, "conflict")}</span>
      )}
      {event.error === null ? null : <span class="failure"> {event.error.message}</span>}
    </>
  );
}
