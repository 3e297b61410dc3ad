/** Tells a record's history in plain words: its state first, then its events, oldest first. Pure. */
import type { ApiEvent, ApiExplanation } from "../../server/protocol/index.ts";
import { localTime, type Reader, withLocalTimes } from "./local-time.ts";
import { type Paint, paintState } from "./paint.ts";
import { changeLine, conflictLine, describeObservation } from "./wording.ts";

type Pairing = ApiExplanation["pairings"][number];

export function storyOf(
  explanation: ApiExplanation,
  reader: Reader,
  paint: Paint,
): readonly string[] {
  const title = `${explanation.record_type} ${explanation.record_id}`;
  return [
    paint.bold(title),
    ...explanation.pairings.flatMap((pairing) => ["", ...pairingStory(pairing, reader, paint)]),
    ...journalStory(explanation, reader, paint),
  ];
}

/** The record's own writes, oldest first. */
function journalStory(
  { journal }: ApiExplanation,
  reader: Reader,
  paint: Paint,
): readonly string[] {
  if (journal.length === 0) return [];
  const events = [...journal].sort((a, b) => (a.id < b.id ? -1 : 1));
  return [
    "",
    paint.bold("Its own writes"),
    ...events.flatMap((event) => ["", ...eventStory(event, reader, paint)]),
  ];
}

function pairingStory(pairing: Pairing, reader: Reader, paint: Paint): readonly string[] {
  const { connection, integration_record_type: type, integration_external_id: id } = pairing;
  const standing = withLocalTimes(pairing.standing, reader);
  const events = [...pairing.events].sort((a, b) => (a.id < b.id ? -1 : 1));
  return [
    `${paint.bold(connection)}  ${type} ${id ?? "(no counterpart yet)"}`,
    ...(pairing.url === null ? [] : [pairing.url]),
    pairing.in_sync ? paint.green(standing) : paint.yellow(standing),
    ...events.flatMap((event) => ["", ...eventStory(event, reader, paint)]),
  ];
}

/** One event: the observation, its outcome and reason, and the values that it changed. */
export function eventStory(event: ApiEvent, reader: Reader, paint: Paint): readonly string[] {
  const at = localTime(event.created_at, reader);
  const details = [
    `${paintState(paint, event.state)}: ${event.because}`,
    ...pointers(event).map((line) => paint.dim(line)),
    ...event.changes.map(changeLine),
    ...event.conflicts.map((conflict) => paint.yellow(conflictLine(conflict))),
    ...(event.error === null ? [] : errorLines(event.error, paint)),
  ];
  return [
    `${paint.dim(at)}  ${describeObservation(event)}`,
    ...details.map((line) => `${" ".repeat(at.length)}  ${line}`),
  ];
}

function errorLines(error: NonNullable<ApiEvent["error"]>, paint: Paint): readonly string[] {
  const status = error.httpStatus === null ? "" : `, HTTP ${error.httpStatus}`;
  const request = error.requestId === null ? "" : `, request ${error.requestId}`;
  return [
    paint.red(`error: ${error.message} (${error.code}${status}${request})`),
    `fix: ${error.hint}`,
  ];
}

/** The other events or records that decided the outcome. */
function pointers(event: ApiEvent): readonly string[] {
  const { canceled_by: by, duplicate_of: of, ignored_for_id: id, ignored_for_type: type } = event;
  return [
    ...(by === null ? [] : [`by event ${by}`]),
    ...(of === null ? [] : [`of event ${of}`]),
    ...(id === null ? [] : [`for ${type === "events" ? "event" : (type ?? "")} ${id}`]),
  ];
}
