import { describe, expect, it } from "vitest";
import {
  BIRTH_STATES,
  type EventState,
  isLegalMove,
  isTerminal,
  LEGAL_MOVES,
  REASONS,
  TERMINAL_STATES,
} from "../../src/model/event.ts";
import { type Mapping, mappedColumns, mappedFields } from "../../src/model/mapping.ts";
import { aMapping } from "../engine/builders.ts";

const states = Object.keys(LEGAL_MOVES) as EventState[];

describe("the states of an event", () => {
  it("are eight, four of them final", () => {
    expect(states).toHaveLength(8);
    expect(states.filter(isTerminal).sort()).toEqual([...TERMINAL_STATES].sort());
  });

  it("law: exactly the terminal ones have no way out", () => {
    for (const state of states) expect(LEGAL_MOVES[state].length === 0).toBe(isTerminal(state));
  });

  it("law: every state can be reached from a birth", () => {
    const reached = new Set<EventState>(BIRTH_STATES);
    for (const state of reached) for (const to of LEGAL_MOVES[state]) reached.add(to);
    expect([...reached].sort()).toEqual([...states].sort());
  });

  it("law: every live state can still end", () => {
    const ends = (state: EventState, seen: readonly EventState[] = []): boolean =>
      isTerminal(state) ||
      LEGAL_MOVES[state].some((to) => !seen.includes(to) && ends(to, [...seen, state]));
    for (const state of states) expect(ends(state)).toBe(true);
  });

  it("cancel nothing that is being processed, and dig up nothing that ended", () => {
    expect(isLegalMove("processing", "canceled")).toBe(false);
    expect(isLegalMove("completed", "queued")).toBe(false);
    expect(isLegalMove("errored", "processing")).toBe(false);
  });

  it("carry reasons that say something to the person who reads them", () => {
    for (const text of Object.values(REASONS)) expect(text).toMatch(/^[A-Z].*\.$/);
  });
});

describe("the columns of a mapping", () => {
  it("are those of its fields, its scope, its parent and its soft delete, once each", () => {
    const mapping: Mapping = aMapping({
      softDelete: "deleted_at",
      parent: { column: "project_id", recordType: "projects" },
    });
    expect(mappedColumns(mapping)).toEqual([
      "title",
      "markdown",
      "state",
      "labels",
      "deleted_at",
      "project_id",
    ]);
    expect(mappedFields(mapping)).toEqual(["title", "body", "state", "labels"]);
  });
});
