/**
 * Checks the inputs of an API request before any route and before the database. A value that Postgres would
 * refuse as malformed is the client's mistake, not an outage.
 *
 * 1. A parameter that a route does not know is refused. `?stat=errored` would otherwise list everything.
 * 2. An id has the form of its kind. If it is well-formed but unknown, the route answers 404.
 */
import { actOf, type Hint, hint } from "../../model/acts/hint.ts";
import { problem } from "./problem.ts";

/** The query parameters of each route that has some, by the path below `/api`. */
const PARAMETERS: readonly (readonly [path: RegExp, names: readonly string[]])[] = [
  [/^events$/, ["state", "direction", "record", "connection", "before", "limit"]],
  [/^connections\/[^/]+\/reconcile$/, ["dry_run"]],
  [/^audit$/, ["act", "before", "limit"]],
];

/** Postgres stores these ids as bigint. */
const NUMBER = /^\d{1,18}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const IDS: ReadonlyMap<string | null, { readonly form: RegExp; readonly hint: Hint }> = new Map(
  Object.entries({
    events: {
      form: UUID,
      hint: hint`An event's id is a UUID; ${actOf("events.list")} lists them.`,
    },
    connections: {
      form: NUMBER,
      hint: hint`A connection's id is a number; ${actOf("status.show")} lists them.`,
    },
    runs: {
      form: NUMBER,
      hint: hint`A held run's id is a number; ${actOf("status.show")} lists them.`,
    },
    sessions: {
      form: /^([0-9a-f]{32}|revoke)$/,
      hint: hint`A login's id has 32 hexadecimal digits; ${actOf("sessions.list")} lists them.`,
    },
  }),
);

/** The refusal of a malformed request to the API below `basePath`, or `null`. */
export function refuseMalformed(request: Request, basePath = ""): Response | null {
  const { pathname, searchParams } = new URL(request.url);
  const below = pathname.slice(`${basePath}/api/`.length);
  return refusePath(below) ?? refuseParameters(below, searchParams);
}

function refusePath(below: string): Response | null {
  const segments = below.split("/").map(decoded);
  if (segments.some((segment) => segment === null || segment.includes("\0"))) {
    return bad(
      "bad_path",
      "the path is not valid text",
      "Encode it as UTF-8, without NUL characters.",
    );
  }
  const [collection, id] = segments;
  const kind = IDS.get(collection ?? "");
  if (kind === undefined || id === undefined || id === null || kind.form.test(id)) return null;
  return bad("bad_id", `"${id}" is no id of ${collection}`, kind.hint);
}

function refuseParameters(below: string, given: URLSearchParams): Response | null {
  const known = PARAMETERS.find(([path]) => path.test(below))?.[1] ?? [];
  const knows =
    known.length === 0 ? "It has no parameters." : `Its parameters: ${known.join(", ")}.`;
  const names = [...given.keys()];
  for (const name of names) {
    if (!known.includes(name)) {
      return bad("unknown_parameter", `/api/${below} has no parameter "${name}"`, knows);
    }
    if (names.indexOf(name) !== names.lastIndexOf(name)) {
      return bad("repeated_parameter", `the parameter "${name}" is given twice`, "Give it once.");
    }
    if (given.get(name)?.includes("\0") === true) {
      return bad("bad_query", `${name} has a NUL character`, "Leave it out; no value has one.");
    }
  }
  return null;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

function bad(code: string, message: string, remedy: Hint): Response {
  return problem(400, code, message, remedy);
}
