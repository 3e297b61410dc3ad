/** The strip below the head: whether both sides agree, and how many events each live state has. */
import type { ApiStatus } from "../server/protocol/index.ts";
import { StateIcon } from "./elements/index.ts";
import { type LedgerFilter, NO_FILTER, type OverallStanding, stateName } from "./data/index.ts";

const COUNTED = ["queued", "processing", "errored", "disabled"] as const;

export function Summary({
  standing,
  status,
  filter,
  setFilter,
}: {
  readonly standing: OverallStanding | null;
  readonly status: ApiStatus | null;
  readonly filter: LedgerFilter;
  readonly setFilter: (filter: LedgerFilter) => void;
}) {
  const { tone, headline, detail } = standing ?? { tone: "waiting", headline: "…", detail: "" };
  return (
    <section class="summary" aria-label="Summary">
      <div class={`standing ${tone}`} role="status" aria-live="polite" data-tone={tone}>
        <StateIcon
          state={tone === "good" ? "completed" : tone === "bad" ? "errored" : "processing"}
        />
        <span class="headline">{headline}</span>
        <span class="faint detail">{detail}</span>
      </div>
      <div class="counts">
        {COUNTED.map((state) => {
          const many = status?.live[state] ?? 0;
          const chosen = filter.state === state;
          return (
            <button
              key={state}
              type="button"
              class={`count state-${state} ${many === 0 ? "none" : ""}`}
              aria-pressed={chosen}
              title={`Show ${stateName(state).toLowerCase()} events only`}
              onClick={() => setFilter({ ...NO_FILTER, state: chosen ? null : state })}
            >
              <span class="number">{many}</span> {stateName(state)}
            </button>
          );
        })}
        {status === null || status.deliveries.failed === 0 ? null : (
          <span class="count state-errored">
            <span class="number">{status.deliveries.failed}</span>{" "}
            {status.deliveries.failed === 1 ? "failed delivery" : "failed deliveries"}
          </span>
        )}
      </div>
    </section>
  );
}
