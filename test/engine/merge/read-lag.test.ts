/** Reads that are older than what is known: they lag, or the provider's clock has stepped back. */
import { describe, expect, it } from "vitest";
import { mayLag } from "../../../src/engine/merge/read-lag.ts";
import { SECOND } from "../../../src/model/instant.ts";
import { aContext, aLane, anEventId, at } from "../builders.ts";

describe("a read that is older than what is known", () => {
  const lane = aLane({ clock: { at: at(100), event: anEventId(3) } });

  it("may lag where it began within 30 seconds of that", () => {
    expect(mayLag(lane, at(95), at(129), aContext())).toBe(true);
    expect(mayLag(lane, at(95), at(130), aContext())).toBe(false);
  });

  it("counts by the provider's clock, as far as it is measured", () => {
    const context = aContext({ clockOffset: -5 * SECOND });
    expect(mayLag(lane, at(95), at(134), context)).toBe(true);
    expect(mayLag(lane, at(95), at(135), context)).toBe(false);
  });

  it("is none where it is of the same time, or nothing is known", () => {
    expect(mayLag(lane, at(100), at(101), aContext())).toBe(false);
    expect(mayLag(aLane({ clock: null }), at(1), at(2), aContext())).toBe(false);
  });
});
