/** When the provider is asked whether a connection has its access again, and what gives it back. */
import { describe, expect, it } from "vitest";
import { asksForAccess, endedBy } from "../../../src/engine/limits/access.ts";
import { at } from "../builders.ts";

const HOUR = 3_600;

describe("a connection that is switched off", () => {
  it.each([
    ["app_suspended", "unsuspended"],
    ["removed_from_installation", "added"],
    ["app_uninstalled", "added"],
    ["a person has paused it", null],
    [null, null],
  ] as const)("for %s is switched on by the news %s", (pausedReason, news) => {
    expect(endedBy({ pausedReason })).toBe(news);
    expect(asksForAccess({ pausedReason, accessAskedAt: null }, at(0))).toBe(news !== null);
  });

  it("is asked about at once, and then every hour", () => {
    const paused = { pausedReason: "app_uninstalled", accessAskedAt: at(0) };
    expect(asksForAccess(paused, at(HOUR - 1))).toBe(false);
    expect(asksForAccess(paused, at(HOUR))).toBe(true);
  });
});
