/** The explanation of one record: the state of each pairing, and the events that led to it. */
import { useEffect, useState } from "preact/hooks";
import type { ApiEvent, ApiExplanation } from "../server/protocol/index.ts";
import { EventLine } from "./event-row.tsx";
import { Sheet, StateIcon, WebLink } from "./elements/index.ts";
import { get, valueText } from "./data/index.ts";

export function ExplainDialog({
  type,
  id,
  newest,
  close,
}: {
  readonly type: string;
  readonly id: string;
  /** The ledger's newest event: when it changes, the explanation may have changed. */
  readonly newest: ApiEvent | undefined;
  readonly close: () => void;
}) {
  const [story, setStory] = useState<ApiExplanation | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const failed = (error: unknown): void => {
    setProblem(error instanceof Error ? error.message : String(error));
  };

  useEffect(() => {
    const path = `/api/explain/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
    get<ApiExplanation>(path).then(setStory, failed);
  }, [type, id, newest?.id, newest?.state]);

  return (
    <Sheet title={`${type} ${id}`} close={close}>
      {problem === null ? null : <p class="block error">{problem}</p>}
      {story?.pairings.length === 0 ? (
        <p class="empty">The record has no counterpart and no events.</p>
      ) : null}
      {story?.pairings.map((pairing) => (
        <Pairing
          key={`${pairing.connection} ${pairing.integration_record_type}`}
          pairing={pairing}
          failed={failed}
        />
      ))}
    </Sheet>
  );
}

function Pairing({
  pairing,
  failed,
}: {
  readonly pairing: ApiExplanation["pairings"][number];
  readonly failed: (error: unknown) => void;
}) {
  const { integration_external_id: external, url, in_sync: inSync, base, events } = pairing;
  const counterpart = `${pairing.integration_record_type} ${external ?? "(not created yet)"}`;
  return (
    <section class="pairing">
      <h3>
        <WebLink to={url}>{counterpart}</WebLink>
      </h3>
      <p class={`standing ${inSync ? "good" : "waiting"}`}>
        <StateIcon state={inSync ? "completed" : "queued"} /> <span>{pairing.standing}</span>
      </p>
      {base === null ? null : (
        <details>
          <summary>The content both sides last agreed on</summary>
          <dl class="base">
            {Object.entries(base).map(([field, value]) => (
              <div key={field}>
                <dt>{field}</dt>
                <dd>{valueText(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      <ol class="events">
        {events.map((event) => (
          <EventLine key={event.id} event={event} fresh={false} target={false} failed={failed} />
        ))}
      </ol>
    </section>
  );
}
