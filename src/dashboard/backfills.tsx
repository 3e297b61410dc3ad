/** Backfills that are not done: the progress of each, and what it waits for. */
import type { ApiBackfill, ApiStatus } from "../server/protocol/index.ts";
import { backfillLine } from "./data/index.ts";

export function Backfills({ status }: { readonly status: ApiStatus | null }) {
  const backfills = status?.backfills ?? [];
  if (backfills.length === 0) return null;
  return (
    <section class="backfills" aria-label="Backfills">
      <ul>
        {backfills.map((backfill) => (
          <Line key={`${backfill.connection_id}/${backfill.resource_type}`} backfill={backfill} />
        ))}
      </ul>
    </section>
  );
}

function Line({ backfill }: { readonly backfill: ApiBackfill }) {
  const { connection, resource_type, step, listed, expected } = backfill;
  const name = `${connection} ${resource_type.replaceAll("_", " ")}s`;
  // Without a total the bar has no value, so it only shows that the backfill runs.
  const share =
    step === "list" && expected !== null && expected > 0
      ? { value: Math.min(listed, expected), max: expected }
      : {};
  return (
    <li>
      <strong>{name}</strong> <progress aria-label={`Backfill of ${name}`} {...share} />{" "}
      <span class="faint">{backfillLine(backfill)}</span>
    </li>
  );
}
