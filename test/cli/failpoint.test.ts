/** `TANDEM_FAILPOINT`: what arms a failpoint, and that nothing does by mistake. */
import { describe, expect, it } from "vitest";
import { armedFailpoints } from "../../src/cli/context/failpoint.ts";
import type { Io } from "../../src/cli/output/io.ts";
import type { FailpointContext } from "../../src/runtime/services/failpoints.ts";
import { NO_FAILPOINTS } from "../../src/runtime/services/failpoints.ts";
import { laneId } from "../../src/model/ids.ts";

const OUTBOUND: FailpointContext = {
  lane: laneId("1"),
  event: null,
  direction: "outbound",
  action: "upsert",
  worker: "ada",
};

/** A process that notes its fate instead of meeting it. */
function aProcess(armed: string | undefined) {
  const fates: string[] = [];
  const io: Io = {
    stdout: { write: () => true },
    stderr: { write: (text) => fates.push(text) },
    env: armed === undefined ? {} : { TANDEM_FAILPOINT: armed },
    cwd: "/",
    onInterrupt: () => () => undefined,
    openBrowser: () => undefined,
    meet: async (fate) => {
      fates.push(fate);
    },
  };
  return { io, fates };
}

describe("TANDEM_FAILPOINT", () => {
  it("unset, arms nothing: the store is not even watched", () => {
    expect(armedFailpoints(aProcess(undefined).io)).toBe(NO_FAILPOINTS);
  });

  it("arms one turn of one point, and says so before the process meets its fate", async () => {
    const { io, fates } = aProcess("before:send@2:kill");
    const failpoints = armedFailpoints(io);
    await failpoints.reach("before:send", OUTBOUND);
    await failpoints.reach("after:send", OUTBOUND);
    expect(fates).toEqual([]);
    await failpoints.reach("before:send", OUTBOUND);
    expect(fates).toEqual([
      expect.stringContaining('"failpoint":"before:send","fate":"kill"'),
      "kill",
    ]);
    await failpoints.reach("before:send", OUTBOUND);
    expect(fates).toHaveLength(2);
  });

  it("arms a point for one direction only", async () => {
    const { io, fates } = aProcess("before:commit/inbound:stop,after:claim/outbound:exit");
    const failpoints = armedFailpoints(io);
    await failpoints.reach("before:commit", OUTBOUND);
    await failpoints.reach("after:claim", OUTBOUND);
    expect(fates.at(-1)).toBe("exit");
    await failpoints.reach("before:commit", { ...OUTBOUND, direction: "inbound" });
    expect(fates.at(-1)).toBe("stop");
  });

  it.each(["before:sand:kill", "before:send", "before:send:boom", "before:send@0:kill"])(
    "refuses %s with what it may be",
    (armed) => {
      expect(() => armedFailpoints(aProcess(armed).io)).toThrow(
        expect.objectContaining({
          code: "failpoint_unknown",
          hint: expect.stringContaining("before:send") as unknown,
        }),
      );
    },
  );
});
