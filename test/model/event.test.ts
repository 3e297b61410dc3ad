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

/** Every reason that a ledger may hold: events are kept for years, and none may lose its explanation. */
const WRITTEN = `
  admitted reread_needed awaiting_parent awaiting_intent awaiting_pairing retry account_paused
  record_locked record_not_visible lease_lost restarted re_enabled being_processed created_record
  updated_record agreed record_kept deleted_record archived_record detached resource_returned
  resource_returned_anew nothing_to_delete created_resource created_as_author author_token_refused
  author_token_limited author_token_unavailable adopted_resource updated_resource deleted_resource
  closed_resource resource_not_found nothing_to_send record_missing later_event followed_move
  moved_away resource_moved moved_to_connection moved_out_of_scope moved_with_parent record_moved
  awaiting_children tombstoned record_is_newer parent_deleted surplus read_again same_content
  same_version nothing_new superseded canceled_by_hand connection_paused pairing_disabled quarantined
  journaled author_linked failed needs_attention retries_exhausted
`;

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
    expect(Object.keys(REASONS)).toEqual(expect.arrayContaining(WRITTEN.trim().split(/\s+/)));
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
