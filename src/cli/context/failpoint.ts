/**
 * Ends or freezes this process at failpoints: the crash tests kill real workers this way.
 * `TANDEM_FAILPOINT=before:send@2:kill` arms the second time that `before:send` is reached;
 * `before:commit/outbound:stop` arms it for outbound events only. Commas separate several.
 */
import {
  type Failpoint,
  FAILPOINTS,
  type Failpoints,
  NO_FAILPOINTS,
} from "../../runtime/services/index.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "../output/index.ts";

/** `kill` is immediate, `stop` lasts until SIGCONT, `exit` ends the process without closing anything. */
export type ProcessFate = "kill" | "stop" | "exit";

interface Armed {
  readonly point: Failpoint;
  readonly direction: "inbound" | "outbound" | null;
  /** The count of the occurrence at which it fires, from 1. */
  readonly turn: number;
  readonly fate: ProcessFate;
}

const SPELLING =
  /^((?:before|after):[a-z]+)(?:\/(inbound|outbound))?(?:@([1-9]\d*))?:(kill|stop|exit)$/;

/** The failpoints that the environment arms; none without the variable. */
export function armedFailpoints({ env, stderr, meet }: Io): Failpoints {
  const text = env.TANDEM_FAILPOINT ?? "";
  if (text === "") return NO_FAILPOINTS;
  if (meet === undefined) throw refusal("failpoints need a process of their own");
  const armed = text.split(",").map(readArmed);
  const reached = new Map<Armed, number>();
  return {
    async reach(point, context) {
      for (const one of armed) {
        if (one.point !== point || (one.direction ?? context.direction) !== context.direction) {
          continue;
        }
        const turn = (reached.get(one) ?? 0) + 1;
        reached.set(one, turn);
        if (turn !== one.turn) continue;
        // Pipes are written synchronously, so a reader of this line knows that the point was reached.
        stderr.write(`${JSON.stringify({ failpoint: point, fate: one.fate, ...context })}\n`);
        await meet(one.fate);
      }
    },
  };
}

function readArmed(text: string): Armed {
  const [, point = "", direction, turn = "1", fate] = SPELLING.exec(text) ?? [];
  if (!isFailpoint(point)) throw refusal(`"${text}" names no failpoint`);
  return {
    point,
    direction: (direction ?? null) as Armed["direction"],
    turn: Number(turn),
    fate: fate as ProcessFate,
  };
}

function isFailpoint(name: string): name is Failpoint {
  return Object.hasOwn(FAILPOINTS, name);
}

function refusal(message: string): CliError {
  return new CliError(
    EXIT.usage,
    "failpoint_unknown",
    `TANDEM_FAILPOINT: ${message}`,
    `It is for tests only, so unset it; in a test it is POINT[/DIRECTION][@TURN]:kill|stop|exit, with a POINT of ${Object.keys(FAILPOINTS).join(", ")}.`,
  );
}
