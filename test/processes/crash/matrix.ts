/**
 * The crash matrix as a table: every failpoint, in each direction, under each action, of an issue; and of a
 * comment those where its create, its parent or its deletion make a difference. Which of them cannot be
 * reached and why; and what a crash there must leave behind.
 */
import { type Failpoint, FAILPOINTS } from "../../../src/runtime/services/failpoints.ts";

export type Direction = "inbound" | "outbound";
export type Action = "create" | "update" | "delete";
/** `archive`: the app's soft delete; at GitHub there is none. */
export type CellAction = Action | "archive";
/** `stop`: frozen until its lease has run out and another has gone on, then continued. */
export type Fate = "kill" | "stop";

export interface Cell {
  readonly of: "issue" | "comment";
  readonly point: Failpoint;
  readonly direction: Direction;
  readonly action: CellAction;
  readonly fate: Fate;
}

export const DIRECTIONS: readonly Direction[] = ["inbound", "outbound"];
export const ACTIONS: readonly Action[] = ["create", "update", "delete"];
export const CELL_ACTIONS: readonly CellAction[] = [...ACTIONS, "archive"];
const POINTS = Object.keys(FAILPOINTS) as readonly Failpoint[];
/** The points after which a worker that stands still has something to write, or a request to send. */
const STALLS: readonly Failpoint[] = [
  "after:claim",
  "before:send",
  "after:send",
  "before:answer",
  "before:record",
  "after:adoption",
  "before:commit",
];

/** The points of claims and heartbeats do not depend on the lane's type. */
const POINTS_OF_COMMENTS = POINTS.filter((point) => !/:(claim|heartbeat)$/.test(point));

const CELLS_OF_ISSUES: readonly Cell[] = DIRECTIONS.flatMap((direction) =>
  CELL_ACTIONS.filter((action) => direction === "outbound" || action !== "archive").flatMap(
    (action) => [
      ...POINTS.map((point): Cell => ({ of: "issue", point, direction, action, fate: "kill" })),
      ...(action === "archive" ? [] : STALLS)
        .map((point): Cell => ({ of: "issue", point, direction, action, fate: "stop" }))
        .filter((cell) => unreachable(cell) === null && hasClaim(cell)),
    ],
  ),
);

const CELLS_OF_COMMENTS: readonly Cell[] = DIRECTIONS.flatMap((direction) =>
  ACTIONS.flatMap((action) =>
    POINTS_OF_COMMENTS.map((point): Cell => ({
      of: "comment",
      point,
      direction,
      action,
      fate: "kill",
    })),
  ),
);

/** All cells, those that cannot be reached among them. */
export const CELLS: readonly Cell[] = [...CELLS_OF_ISSUES, ...CELLS_OF_COMMENTS];

/** The adoption by a webhook processes no event: there is no claim to be lost. */
function hasClaim({ point, direction }: Cell): boolean {
  return direction === "outbound" || !isAdoption(point);
}

/** Why a cell cannot be reached; `null` where it can. */
export function unreachable({ of, point, direction, action }: Omit<Cell, "fate">): string | null {
  const step = point.replace(/^.*:/, "");
  if (direction === "inbound" && ["send", "answer", "intent"].includes(step)) {
    return "an inbound event changes the record and sends nothing";
  }
  if (step === "adoption" && action === "update") {
    return "an updated record is paired: its resource is known by its id, and not by a token alone";
  }
  if (step === "record" && direction === "outbound" && isRemoval(action)) {
    return "the record is deleted: the answer to its removal has nowhere to be merged";
  }
  if (step === "record" && direction === "outbound" && action === "update" && of === "comment") {
    return "a comment is one field: the answer to its edit says what was sent and nothing else";
  }
  if (step === "heartbeat" && direction === "inbound" && action === "delete") {
    return "an inbound delete is one transaction that asks nobody: it ends before a renewal is due";
  }
  return null;
}

/** The name of a cell; none is the beginning of another's name. */
export function nameOf({ of, fate, point, direction, action }: Cell): string {
  return `${of === "issue" ? "" : "comment: "}${fate} ${point} ${direction} ${action}`;
}

/** Whether the record or the resource goes. */
export function isRemoval(action: CellAction): boolean {
  return action === "delete" || action === "archive";
}

/** Whether the cell is about what a create made whose answer was lost. */
export function isAdoption(point: Failpoint): boolean {
  return point.endsWith(":adoption");
}

/**
 * Whether the record outlives its resource. The values of an unanswered create count as unsent, and an unsent edit
 * turns `delete` into `detach`.
 */
export function isKept({ of, point, direction, action }: Omit<Cell, "fate">): boolean {
  return of === "comment" && isAdoption(point) && direction === "inbound" && action === "delete";
}

/** The conditions that hold after the successor's work, besides the agreement of both sides. */
export interface Outcome {
  /** How the event that was at the point ends; any of these. */
  readonly reasons: readonly string[];
  /** Requests that write, at least and at most. */
  readonly writes: readonly [least: number, most: number];
}

/** Whether the integration had carried the request out when the worker was at the point. */
function hasLanded(point: Failpoint): boolean {
  return /^(after:send|(before|after):(answer|record|commit|adoption|heartbeat))$/.test(point);
}

/** A lease is renewed by the clock: on a slow machine that comes while a worker still reads, too. */
function mayBeUnsent(point: Failpoint): boolean {
  return !hasLanded(point) || hasEnded(point) || point.endsWith(":heartbeat");
}

/** Whether the end of the event was durable when the worker was at the point. */
function hasEnded(point: Failpoint): boolean {
  return point === "after:commit" || point === "after:answer";
}

export function outcomeOf({ of, point, direction, action, fate }: Cell): Outcome {
  if (direction === "inbound") return inboundOutcome(of, point, action);
  const late = fate === "stop" && point === "before:send" ? 1 : 0;
  const landed = hasLanded(point) && !hasEnded(point);
  switch (action) {
    case "create": {
      // The issue is found by its token: in a list, or in its echo, which may be faster.
      const found = landed ? ["adopted_resource", "nothing_to_send"] : [];
      const made = mayBeUnsent(point) ? ["created_resource"] : [];
      return { reasons: [...found, ...made], writes: [1 + late, 1 + late] };
    }
    case "update": {
      // A look shows that it landed, so that it is not sent again.
      const reasons = landed ? ["updated_resource", "nothing_to_send"] : ["updated_resource"];
      return { reasons, writes: [1 + late, 1 + late] };
    }
    case "delete":
    case "archive": {
      const removed = of === "issue" ? "closed_resource" : "deleted_resource";
      // The resource of the lost create is found by its token, and removed: the create is the other request.
      if (isAdoption(point)) return { reasons: [removed], writes: [2, 2] };
      // Closing what is closed changes nothing, so nobody looks first: it is sent once more. So is the
      // deletion of a comment, which is not found then.
      const again = landed && of === "comment" ? ["resource_not_found"] : [];
      return { reasons: [removed, ...again], writes: [1 + late, (landed ? 2 : 1) + late] };
    }
  }
}

function inboundOutcome(of: Cell["of"], point: Failpoint, action: CellAction): Outcome {
  // The echo of our own create: its event is no news to the lane that adopted it.
  if (isAdoption(point) && action === "create")
    return { reasons: ["adopted_resource", "nothing_to_send"], writes: [1, 1] };
  const created = isAdoption(point) ? 1 : 0;
  if (isKept({ of, point, direction: "inbound", action })) {
    return { reasons: ["detached"], writes: [created, created] };
  }
  const reasons = {
    create: "created_record",
    update: "updated_record",
    delete: of === "issue" ? "archived_record" : "deleted_record",
    archive: "",
  };
  return { reasons: [reasons[action]], writes: [created, created] };
}

/** The record and resource of one cell, as far as they are there. */
export interface Pair {
  readonly title: string;
  readonly record: string | null;
  readonly number: number | null;
}
