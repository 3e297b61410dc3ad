/**
 * Hints that name the next act once, for every interface: the API shows it as a request, the command line as a
 * command.
 */

interface Act {
  /** Arguments fill the places `$1`, `$2`. */
  readonly request: string;
  readonly command: string;
}

/** The acts that hints refer to. A test holds every one to the API's routes and the CLI's commands. */
export const ACTS = {
  "status.show": { request: "/api/status", command: "tandem status" },
  "events.list": { request: "/api/events", command: "tandem events" },
  "events.filter": {
    request: "/api/events?state=errored&record=tasks:42&limit=50",
    command: "tandem events list --state errored --record tasks:42 --limit 50",
  },
  "audit.list": { request: "/api/audit", command: "tandem audit" },
  "audit.filter": {
    request: "/api/audit?act=connection.pause&limit=50",
    command: "tandem audit --act connection.pause --limit 50",
  },
  "sessions.list": { request: "/api/sessions", command: "tandem sessions" },
  /** By the connection's id; the command line by its container's name. */
  "connection.reconcile": {
    request: "POST /api/connections/$1/reconcile",
    command: "tandem reconcile $2",
  },
  "instance.approve": {
    request: "POST /api/instance/approve",
    command: "tandem approve instance",
  },
} as const satisfies Readonly<Record<string, Act>>;

export type ActName = keyof typeof ACTS;

/** A reference to an act, with its arguments. */
export interface ActReference {
  readonly act: ActName;
  readonly of: readonly string[];
}

/** Text and references to acts, in the order of the sentence. */
export type HintPart = string | ActReference;
export type Hint = string | readonly HintPart[];

/** Refers to an act: `` hint`List them with ${actOf("events.list")}.` `` */
export function actOf(act: ActName, ...of: readonly string[]): ActReference {
  return { act, of };
}

/** Builds a hint of text and acts. */
export function hint(texts: TemplateStringsArray, ...values: readonly HintPart[]): Hint {
  return texts
    .flatMap((text, at): readonly HintPart[] => [text, ...values.slice(at, at + 1)])
    .filter((part) => part !== "");
}

/** The hint in the words of one interface. */
export function sayHint(given: Hint, as: keyof Act): string {
  if (typeof given === "string") return given;
  return given.map((part) => (typeof part === "string" ? part : sayAct(part, as))).join("");
}

function sayAct({ act, of }: ActReference, as: keyof Act): string {
  const said = ACTS[act][as].replaceAll(/\$(\d)/g, (_, place: string) => {
    const given = of[Number(place) - 1] ?? "";
    return as === "request" ? encodeURIComponent(given) : quoted(given);
  });
  return as === "command" ? `\`${said}\`` : said;
}

/** The argument as a shell reads it. */
function quoted(argument: string): string {
  return /^[\w./:@%+=-]+$/.test(argument)
    ? argument
    : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}
