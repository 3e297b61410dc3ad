/** The whole page: its open dialog, its filter, and its notices of failures. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { Attention } from "./attention.tsx";
import { AuditDialog } from "./audit-dialog.tsx";
import { Backfills } from "./backfills.tsx";
import {
  compareSides,
  isDemo,
  isLocked,
  type LedgerFilter,
  NO_FILTER,
  passes,
  RequestError,
  standingOf,
  useDemo,
  useLedger,
  usePlace,
} from "./data/index.ts";
import { ExplainDialog } from "./explain-dialog.tsx";
import { Header } from "./header.tsx";
import { LedgerPane } from "./ledger-pane.tsx";
import { type Notice, Notices } from "./elements/index.ts";
import { IssuesPane, TasksPane, TroubleBar } from "./panes/index.ts";
import { Summary } from "./summary.tsx";

/** @param locked Called when the login has ended. */
export function DashboardApp({ locked }: { readonly locked: () => void }) {
  const [filter, setFilter] = useState<LedgerFilter>(NO_FILTER);
  const [notice, setNotice] = useState<Notice | null>(null);
  const [place, go] = usePlace();
  const failed = useCallback((error: unknown) => {
    if (isLocked(error)) {
      locked();
      return;
    }
    const hint = error instanceof RequestError ? error.hint : "";
    setNotice({ text: error instanceof Error ? error.message : String(error), hint });
  }, []);
  const live = useLedger(filter, failed);
  const demo = useDemo();
  const agreement = demo === null ? null : compareSides(demo.tasks, demo.issues, demo.pairs);
  const shown = live.events.filter((event) => passes(event, filter));
  const target = place.at === "event" ? place.id : null;

  const { find } = live;
  useEffect(() => {
    if (target === null) return;
    setFilter((current) => (shown.some((event) => event.id === target) ? current : NO_FILTER));
    void find(target).then((found) => {
      if (!found) {
        setNotice({
          text: "That event is no longer in the ledger.",
          hint: "Retention deletes old events.",
        });
      }
    });
    // Run only for a new target, not for each new state of the ledger.
  }, [target]);

  const waiting = isDemo() && demo === null;
  return (
    <div class={isDemo() ? "page with-panes" : "page"}>
      <Header status={live.status} stream={live.stream} failed={failed} />
      <Summary
        standing={waiting ? null : standingOf(live.status, agreement)}
        status={live.status}
        filter={filter}
        setFilter={setFilter}
      />
      <Attention status={live.status} failed={failed} />
      <Backfills status={live.status} />
      {demo === null ? null : <TroubleBar troubles={demo.troubles} failed={failed} />}
      <main class="columns">
        {demo === null ? null : (
          <TasksPane demo={demo} differences={agreement?.differences ?? []} failed={failed} />
        )}
        <LedgerPane
          live={live}
          shown={shown}
          filter={filter}
          setFilter={setFilter}
          target={target}
          failed={failed}
        />
        {demo === null ? null : (
          <IssuesPane demo={demo} differences={agreement?.differences ?? []} failed={failed} />
        )}
      </main>
      {place.at === "explain" ? (
        <ExplainDialog
          key={`${place.type}/${place.id}`}
          type={place.type}
          id={place.id}
          newest={live.events[0]}
          close={() => go({ at: "ledger" })}
        />
      ) : null}
      {place.at === "audit" ? (
        <AuditDialog failed={failed} close={() => go({ at: "ledger" })} />
      ) : null}
      <Notices notice={notice} dismiss={() => setNotice(null)} />
    </div>
  );
}
