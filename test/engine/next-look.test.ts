import { describe, expect, it } from "vitest";
import { nextLookAt, WAIT_MS } from "../../src/engine/processing/inbound.ts";
import { addMillis, MILLISECOND } from "../../src/model/instant.ts";
import { at } from "./builders.ts";

describe("an event that waits for another", () => {
  const waited = (seconds: number) => {
    const now = at(seconds);
    return (nextLookAt({ startedAt: at(0) }, now) - now) / MILLISECOND;
  };

  it("looks again soon at first, and ever later", () => {
    expect(waited(0)).toBe(WAIT_MS);
    expect(waited(20)).toBe(WAIT_MS);
    expect(waited(40)).toBe(10_000);
    expect(waited(400)).toBe(100_000);
  });

  it("looks every five minutes at the latest", () => {
    expect(waited(24 * 3_600)).toBe(5 * 60_000);
  });

  it("looks some thirty times in an hour that its parent's account is paused, not 720 times", () => {
    const event = { startedAt: at(0) };
    let looks = 0;
    for (let now = at(0); now < addMillis(at(0), 3_600_000); now = nextLookAt(event, now))
      looks += 1;
    expect(looks).toBeLessThan(35);
  });
});
