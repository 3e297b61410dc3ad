/** What Tandem has stopped by itself and a person must decide on, each with its way out. */
import type { ApiDisabledPairing, ApiStatus } from "../server/api-types.ts";
import { send } from "./request.ts";
import { count } from "./wording.ts";

export function Attention({
  status,
  failed,
}: {
  readonly status: ApiStatus | null;
  readonly failed: (error: unknown) => void;
}) {
  const { count: many, first } = status?.disabled_pairings ?? { count: 0, first: [] };
  if (many === 0) return null;
  return (
    <section class="attention" aria-label="Needs attention">
      <h2>{count(many, "pairing")} switched off</h2>
      <ul>
        {first.map((pairing) => (
          <Pairing key={keyOf(pairing)} pairing={pairing} failed={failed} />
        ))}
      </ul>
    </section>
  );
}

function Pairing({
  pairing,
  failed,
}: {
  readonly pairing: ApiDisabledPairing;
  readonly failed: (error: unknown) => void;
}) {
  const { record_type: table, record_id: id, why, connection } = pairing;
  const path = `/api/records/${encodeURIComponent(table)}/${encodeURIComponent(id ?? "")}/enable`;
  return (
    <li>
      <span>
        <strong>
          {table} {id}
        </strong>{" "}
        <span class="faint">in {connection}:</span> {why}
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

function keyOf(pairing: ApiDisabledPairing): string {
  const { connection, resource_type: type, integration_external_id: id, record_id } = pairing;
  return [connection, type, id, record_id].join("/");
}
