/**
 * The crash matrix as a table: every failpoint, in each direction, under each action; which of them
 * cannot be reached and why; and what a crash there must leave behind.
 */
import { type Failpoint, FAILPOINTS } from "../../../src/runtime/failpoints.ts";

export type Direction = "inbound" | "outbound";
export type Action = "create" | "update" | "delete";
/** `archive`: the app's soft delete; at GitHub there is none. */
export type CellAction = Action | "archive";
/** `stop`: frozen until its lease has run out and another has gone on, then continued. */
export type Fate = "kill" | "stop";

export interface Cell {
  readonly point: Failpoint;
  readonly direction: Direction;
  readonly action: CellAction;
  readonly fate: Fate;
}

export const DIRECTIONS: readonly Direction[] = ["inbound", "outbound"];
export const ACTIONS: readonly Action[] = ["create", "update", "delete"];
export const CELL_ACTIONS: readonly CellAction[] = [...ACTIONS, "archive"];
const POINTS = Object.keys(FAILPOINTS) as readonly Failpoint[];
/** Where a worker that stands still has something to write later, or a request to send. */
const STALLS: readonly Failpoint[] = [
  "after:claim",
  "before:send",
  "after:send",
  "before:answer",
  "before:record",
  "after:adoption",
  "before:commit",
];

/** All cells, those that cannot be reached among them. */
export const CELLS: readonly Cell[] = DIRECTIONS.flatMap((direction) =>
  CELL_ACTIONS.filter((action) => direction === "outbound" || action !== "archive").flatMap(
    (action) => [
      ...POINTS.map((point): Cell => ({ point, direction, action, fate: "kill" })),
      ...(action === "archive" ? [] : STALLS)
        .map((point): Cell => ({ point, direction, action, fate: "stop" }))
        .filter((cell) => unreachable(cell) === null && hasClaim(cell)),
    ],
  ),
);

/** Who adopts what a webhook tells of works on no event: there is no claim to be lost. */
function hasClaim({ point, direction }: Cell): boolean {
  return direction === "outbound" || !isAdoption(point);
}

/** Why a cell cannot be reached; `null` where it can. */
export function unreachable({ point, direction, action }: Omit<Cell, "fate">): string | null {
  const step = point.replace(/^.*:/, "");
  if (direction === "inbound" && ["send", "answer", "intent"].includes(step)) {
    return "an inbound event changes the record and sends nothing";
  }
  if (step === "adoption" && action === "update") {
    return "what is updated is paired: its resource is known by its id, and not by a token alone";
  }
  if (step === "record" && direction === "outbound" && isRemoval(action)) {
    return "the record is deleted: the answer to closing its issue has nowhere to be merged";
  }
  if (step === "heartbeat" && direction === "inbound" && action === "delete") {
    return "an inbound delete is one transaction that asks nobody: it ends before a renewal is due";
  }
  return null;
}

/** Whether the record or the resource goes. */
export function isRemoval(action: CellAction): boolean {
  return action === "delete" || action === "archive";
}

/** Whether the cell is about what a create made whose answer was lost. */
export function isAdoption(point: Failpoint): boolean {
  return point.endsWith(":adoption");
}

/** What must hold once a successor has gone on, beside that both sides agree. */
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

/** Whether the end of the event was durable when the worker was at the point. */
function hasEnded(point: Failpoint): boolean {
  return point === "after:commit" || point === "after:answer";
}

export function outcomeOf({ point, direction, action, fate }: Cell): Outcome {
  if (direction === "inbound") return inboundOutcome(point, action);
  const late = fate === "stop" && point === "before:send" ? 1 : 0;
  const landed = hasLanded(point) && !hasEnded(point);
  switch (action) {
    case "create": {
      // The issue is found by its token: in a list, or in its echo, which may be faster.
      const reasons = landed ? ["adopted_resource", "nothing_to_send"] : ["created_resource"];
      return { reasons, writes: [1 + late, 1 + late] };
    }
    case "update": {
      // A look shows that it landed, so that it is not sent again.
      const reasons = landed ? ["updated_resource", "nothing_to_send"] : ["updated_resource"];
      return { reasons, writes: [1 + late, 1 + late] };
    }
    case "delete":
    case "archive":
      // What the lost create made is found by its token, and closed: the create is the other request.
      if (isAdoption(point)) return { reasons: ["closed_resource"], writes: [2, 2] };
      // Closing what is closed changes nothing, so nobody looks first: it is sent once more.
      return { reasons: ["closed_resource"], writes: [1 + late, (landed ? 2 : 1) + late] };
  }
}

function inboundOutcome(point: Failpoint, action: CellAction): Outcome {
  // The echo of our own create: its event is no news to the lane that adopted it.
  if (isAdoption(point) && action === "create")
    return { reasons: ["adopted_resource", "nothing_to_send"], writes: [1, 1] };
  const reasons = {
    create: "created_record",
    update: "updated_record",
    delete: "archived_record",
    archive: "",
  };
  const created = isAdoption(point) ? 1 : 0;
  return { reasons: [reasons[action]], writes: [created, created] };
}
