/** When a run must ask a person first, and what becomes of one that asked. */
import { describe, expect, it } from "vitest";
import { isTooMuch, weigh } from "../../../src/engine/limits/blast-radius.ts";
import type { Outlook } from "../../../src/model/held-run.ts";

const radius = { records: 10, share: 0.2 };

function anOutlook(changes: Partial<Outlook>): Outlook {
  return { deletes: 0, overwrites: 0, records: 100, ...changes };
}

describe("a run that would delete or overwrite", () => {
  it("asks where it is more than a number and more than a share", () => {
    expect(isTooMuch(anOutlook({ deletes: 20 }), radius)).toBe(false);
    expect(isTooMuch(anOutlook({ deletes: 21 }), radius)).toBe(true);
    expect(isTooMuch(anOutlook({ deletes: 11, overwrites: 10 }), radius)).toBe(true);
    expect(isTooMuch(anOutlook({ deletes: 10, records: 10 }), radius)).toBe(false);
    expect(isTooMuch(anOutlook({ deletes: 11, records: 11 }), radius)).toBe(true);
    expect(isTooMuch(anOutlook({ deletes: 100 }), null)).toBe(false);
  });

  it("goes on once that was approved, for as much as was shown and no more", () => {
    const open = { state: "approved", outlook: anOutlook({ deletes: 30 }) } as const;
    expect(weigh(anOutlook({ deletes: 30 }), radius, open)).toEqual({
      goes: true,
      becomes: "done",
    });
    expect(weigh(anOutlook({ deletes: 25 }), radius, open)).toEqual({
      goes: true,
      becomes: "done",
    });
    expect(weigh(anOutlook({ deletes: 31 }), radius, open)).toEqual({
      goes: false,
      becomes: "held",
    });
    expect(weigh(anOutlook({ deletes: 25, overwrites: 1 }), radius, open).goes).toBe(false);
  });

  it("stays undone where it was rejected, and asks again when it has grown", () => {
    const open = { state: "rejected", outlook: anOutlook({ deletes: 30 }) } as const;
    const same = weigh(anOutlook({ deletes: 30 }), radius, open);
    expect(same).toEqual({ goes: false, becomes: "rejected" });
    const more = weigh(anOutlook({ deletes: 40 }), radius, open);
    expect(more).toEqual({ goes: false, becomes: "held" });
  });

  it("is withdrawn where another look finds little or nothing to do", () => {
    for (const state of ["held", "rejected"] as const) {
      const open = { state, outlook: anOutlook({ deletes: 30 }) };
      expect(weigh(anOutlook({ deletes: 2 }), radius, open)).toEqual({
        goes: true,
        becomes: "withdrawn",
      });
    }
    expect(weigh(anOutlook({ deletes: 2 }), radius, null)).toEqual({ goes: true, becomes: null });
  });
});
