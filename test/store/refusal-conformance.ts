/** Counts of refused webhooks, as any store keeps them. */
import { beforeAll, describe, expect, it } from "vitest";
import { addMillis, parseInstant } from "../../src/model/instant.ts";
import type { OpenedStore } from "./opened-store.ts";

const noon = parseInstant("2026-03-02T12:00:00.000000Z");
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const forged = { integration: "github", code: "signature_mismatch" };
const large = { integration: "github", code: "payload_too_large" };

export function refusalsConformance(open: () => Promise<OpenedStore>): void {
  describe("refused webhooks", () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open();
    });

    it("are added up by cause, the most frequent first, and forgotten after a week", async () => {
      const { refusals } = opened.store;
      const at = async (millis: number, ...added: Parameters<typeof refusals.add>) => {
        await opened.setTime(addMillis(noon, millis));
        await refusals.add(...added);
      };
      await at(0, [{ ...large, count: 3 }]);
      await at(30_000, [
        { ...large, count: 1 },
        { ...forged, count: 2 },
      ]);
      await at(MINUTE, [{ ...forged, count: 5 }]);
      await at(MINUTE, []);
      const later = addMillis(noon, MINUTE);
      expect(await refusals.since(addMillis(noon, 59_000))).toEqual([
        { ...forged, count: 7, lastAt: later },
        { ...large, count: 4, lastAt: noon },
      ]);
      expect(await refusals.since(later)).toEqual([{ ...forged, count: 5, lastAt: later }]);

      // The oldest minute goes with the first count that comes a week after it.
      await at(7 * DAY + MINUTE, [{ ...large, count: 1 }]);
      expect(await refusals.since(noon)).toEqual([
        { ...forged, count: 5, lastAt: later },
        { ...large, count: 1, lastAt: addMillis(noon, 7 * DAY + MINUTE) },
      ]);
    });
  });
}
