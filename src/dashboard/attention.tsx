/** Runs and pairings that Tandem has stopped, each with the buttons for a person's decision. */
import type { ApiDisabledPairing, ApiHeldRun, ApiStatus } from "../server/protocol/index.ts";
import { forPerson, OFF_CAUSES, recordName, resourceName, send } from "./data/index.ts";

export function Attention({
  status,
  failed,
}: {
  readonly status: ApiStatus | null;
  readonly failed: (error: unknown) => void;
}) {
  if (status === null) return null;
  const { foreign_instance: foreign, disabled_pairings: pairings } = status;
  const runs = status.held_runs.filter(({ state }) => state === "held");
  const person = forPerson(status);
  if (foreign === null && person === "") return null;
  return (
    <section class="attention" aria-label="Needs attention">
      <h2>{foreign === null ? person : "No event is processed"}</h2>
      <ul>
        {foreign === null ? null : (
          <li>
            <span>{foreign}</span>
            <button
              type="button"
              class="small"
              onClick={() => void send("POST", "/api/instance/approve").catch(failed)}
            >
              Release this copy
            </button>
          </li>
        )}
        {runs.map((run) => (
          <Run key={run.id} run={run} failed={failed} />
        ))}
        {pairings.first.map((pairing) => (
          <Pairing key={pairingAddress(pairing)} pairing={pairing} failed={failed} />
        ))}
      </ul>
    </section>
  );
}

/** The most affected records of a run that are named. */
const SHOWN = 3;

function affectedRecordName(affected: ApiHeldRun["sample"][number]): string {
  return `${recordName(affected)} ↔ ${resourceName(affected)}`;
}

function Run({
  run,
  failed,
}: {
  readonly run: ApiHeldRun;
  readonly failed: (error: unknown) => void;
}) {
  const say = (word: "approve" | "reject") => () =>
    void send("POST", `/api/runs/${encodeURIComponent(run.id)}/${word}`).catch(failed);
  return (
    <li>
      <span>
        <strong>{run.kind.replace("_", " ")}</strong>{" "}
        <span class="faint">of {run.connection}:</span> {run.because}{" "}
        <span class="faint">{run.sample.slice(0, SHOWN).map(affectedRecordName).join(", ")}</span>
      </span>
      <span class="choice">
        <button
          type="button"
          class="small"
          aria-label={`Approve ${run.id}`}
          onClick={say("approve")}
        >
          Approve
        </button>{" "}
        <button type="button" class="small" aria-label={`Reject ${run.id}`} onClick={say("reject")}>
          Reject
        </button>
      </span>
    </li>
  );
}

function Pairing({
  pairing,
  failed,
}: {
  readonly pairing: ApiDisabledPairing;
  readonly failed: (error: unknown) => void;
}) {
  const { record_type: table, record_id: id, cause, why, connection } = pairing;
  const path = `/api/records/${encodeURIComponent(table)}/${encodeURIComponent(id ?? "")}/enable`;
  return (
    <li>
      <span>
        <strong>
          {table} {id}
        </strong>{" "}
        <span class="faint">
          in {connection}, {OFF_CAUSES[cause]}:
        </span>{" "}
        {why}
      </span>
      {id === null ? null : (
        <button
          type="button"
          class="small"
          aria-label={`Enable ${table} ${id}`}
          onClick={() => void send("POST", path).catch(failed)}
        >
          Enable
        </button>
      )}
    </li>
  );
}

function pairingAddress(pairing: ApiDisabledPairing): string {
  const { connection, resource_type: type, integration_external_id: id, record_id } = pairing;
  return [connection, type, id, record_id].join("/");
}
