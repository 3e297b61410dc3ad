/**
 * Situation 48 in a few cells of the crash matrix; `npm run crash` plays all of them. Each cell says
 * what must be left: one of everything, both sides agreed, the event's reason, the requests made.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { databaseKinds } from "../harness/databases.ts";
import { type Cell, CELLS, unreachable } from "./crash/matrix.ts";
import { playCell } from "./crash/play-cell.ts";
import { openSite, type Site } from "./crash/site.ts";

const SOME: readonly Omit<Cell, "action">[] = [
  { of: "issue", point: "before:send", direction: "outbound", fate: "kill" },
  { of: "issue", point: "after:send", direction: "outbound", fate: "kill" },
  { of: "issue", point: "before:commit", direction: "inbound", fate: "kill" },
  { of: "issue", point: "after:claim", direction: "outbound", fate: "stop" },
  { of: "comment", point: "after:send", direction: "outbound", fate: "kill" },
];

describe.runIf(databaseKinds.includes("postgres"))("a worker process that dies at its work", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite(inject("postgresAdminUrl") ?? "", "s48", "sources");
  });
  afterAll(() => site.close());

  it.each(SOME)("S48: $fate $point $direction of one $of: another goes on, once", async (cell) => {
    const played = await playCell(site, { ...cell, action: "create" });
    expect(played).toMatchObject({ problems: [], ok: true });
  });
});

describe("the crash matrix", () => {
  it("has every failpoint in both directions under each action, and says why some are out of reach", () => {
    const killed = CELLS.filter(({ of, fate }) => of === "issue" && fate === "kill");
    expect(killed).toHaveLength(16 * (3 + 4));
    expect(killed.filter((cell) => unreachable(cell) !== null)).toHaveLength(28);
    // Frozen at six points outbound, at three inbound, and where a create or a delete has adopted.
    const frozen = CELLS.filter(({ fate }) => fate === "stop");
    expect(frozen).toHaveLength(6 * 3 - 1 + 3 * 3 + 2);
  });

  it("kills who works on a comment at every failpoint but those of the claim, in both directions", () => {
    const ofComments = CELLS.filter(({ of }) => of === "comment");
    expect(ofComments).toHaveLength(12 * (3 + 3));
    expect(ofComments.every(({ fate }) => fate === "kill")).toBe(true);
    expect(ofComments.filter((cell) => unreachable(cell) !== null)).toHaveLength(26);
  });
});
