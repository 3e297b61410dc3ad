/** The ledger in the middle: filters, and the events newest first. */
import type { EventState } from "../model/event.ts";
import type { ApiEvent } from "../server/protocol/index.ts";
import { EventLine } from "./event-row.tsx";
import { Icon } from "./elements/index.ts";
import {
  dayName,
  EVENT_STATES,
  groupByDay,
  isFiltering,
  type LedgerFilter,
  type LiveLedger,
  NO_FILTER,
  stateName,
  subject,
  subjects,
} from "./data/index.ts";

interface Filtering {
  readonly filter: LedgerFilter;
  readonly setFilter: (filter: LedgerFilter) => void;
}

export function LedgerPane({
  live,
  shown,
  filter,
  setFilter,
  target,
  failed,
}: Filtering & {
  readonly live: LiveLedger;
  readonly shown: readonly ApiEvent[];
  readonly target: string | null;
  readonly failed: (error: unknown) => void;
}) {
  const now = new Date();
  const about = subjects(live.events, subject);
  const days = groupByDay(shown, (time) => dayName(time, now));
  return (
    <section class="pane ledger" aria-labelledby="ledger-title">
      <div class="pane-head">
        <h2 id="ledger-title">
          Ledger <span class="faint">every event, with its outcome and reason</span>
        </h2>
        <Filters filter={filter} setFilter={setFilter} />
      </div>
      <div class="pane-body">
        {days.map((day) => (
          <section key={day.name} aria-label={day.name}>
            <h3 class="day">{day.name}</h3>
            <ol class="events">
              {day.events.map((event) => (
                <EventLine
                  key={event.id}
                  event={event}
                  about={subject(event) || about.get(event.integration_record_id ?? "")}
                  fresh={live.isFresh(event.id)}
                  target={event.id === target}
                  failed={failed}
                />
              ))}
            </ol>
          </section>
        ))}
        {shown.length > 0 ? null : <Nothing live={live} filter={filter} setFilter={setFilter} />}
        {live.hasOlder ? (
          <button type="button" class="older" onClick={() => void live.loadOlder()}>
            Show older events
          </button>
        ) : null}
      </div>
    </section>
  );
}

function Nothing({ live, filter, setFilter }: Filtering & { readonly live: LiveLedger }) {
  if (!live.loaded) return <p class="empty">Reading the ledger…</p>;
  if (!isFiltering(filter)) {
    return (
      <p class="empty">No events yet. Change a record or a resource, and its event appears here.</p>
    );
  }
  return (
    <p class="empty">
      No event matches.{" "}
      <button type="button" class="small" onClick={() => setFilter(NO_FILTER)}>
        Show all
      </button>
    </p>
  );
}

function Filters({ filter, setFilter }: Filtering) {
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label class="search">
        <Icon name="search" />
        <input
          type="search"
          placeholder="tasks 42, #7, conflict…"
          aria-label="Search the ledger"
          value={filter.search}
          onInput={(event) => setFilter({ ...filter, search: event.currentTarget.value })}
        />
      </label>
      <select
        aria-label="State"
        value={filter.state ?? ""}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          const state = EVENT_STATES.find((each) => each === chosen) ?? null;
          setFilter({ ...filter, state });
        }}
      >
        <option value="">All states</option>
        {EVENT_STATES.map((state: EventState) => (
          <option key={state} value={state}>
            {stateName(state)}
          </option>
        ))}
      </select>
      <select
        aria-label="Direction"
        value={filter.direction ?? ""}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          const direction = chosen === "inbound" || chosen === "outbound" ? chosen : null;
          setFilter({ ...filter, direction });
        }}
      >
        <option value="">Both ways</option>
        <option value="outbound">App → GitHub</option>
        <option value="inbound">App ← GitHub</option>
      </select>
    </form>
  );
}
