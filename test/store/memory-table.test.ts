/** Rows in memory: what their indexes say after writes, and after a rollback to any savepoint. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Table } from "../../src/store/memory/tables/table.ts";
import { UndoLog } from "../../src/store/memory/tables/undo-log.ts";

interface Seat {
  readonly id: string;
  readonly place: string | null;
  readonly team: string;
}

function seats(log = new UndoLog()) {
  return new Table(log, {
    key: ({ id }: Seat) => id,
    indexes: {
      place: ({ place }: Seat) => place,
      team: ({ team }: Seat) => team,
      free: ({ place }: Seat) => place === null || null,
    },
    unique: ["place"],
  });
}

const ann: Seat = { id: "ann", place: "1", team: "red" };
const bob: Seat = { id: "bob", place: "2", team: "red" };
const cat: Seat = { id: "cat", place: null, team: "blue" };

describe("a table's rows", () => {
  it("are found by key, by the values of indexes, and in the order of insertion", () => {
    const table = seats();
    table.put(bob, ann, cat);
    table.put({ ...bob, team: "blue" });
    expect(table.get("ann")).toBe(ann);
    expect(table.one("place", "1")).toBe(ann);
    expect(table.by("team", "blue").map(({ id }) => id)).toEqual(["cat", "bob"]);
    expect(table.by("free", true)).toEqual([cat]);
    expect(table.rows().map(({ id }) => id)).toEqual(["bob", "ann", "cat"]);
    expect(table.first(2).map(({ id }) => id)).toEqual(["bob", "ann"]);
    expect(table.size).toBe(3);
  });

  it("may exchange a unique value if they are written together", () => {
    const table = seats();
    table.put(ann, bob);
    table.put({ ...ann, place: "2" }, { ...bob, place: "1" });
    expect(table.one("place", "1")?.id).toBe("bob");
    expect(table.one("place", "2")?.id).toBe("ann");
  });

  it("are refused where another row has the key, or a unique value", () => {
    const table = seats();
    table.put(ann);
    expect(() => {
      table.insert({ ...ann, place: "3" });
    }).toThrow(expect.objectContaining({ code: "23505" }));
    expect(() => {
      table.put({ ...bob, place: "1" });
    }).toThrow(expect.objectContaining({ code: "40001" }));
  });
});

describe("a rollback", () => {
  it("gives removed rows their places back", () => {
    const log = new UndoLog();
    const table = seats(log);
    table.put(ann, bob, cat);
    const rollBack = log.savepoint();
    table.delete("ann");
    table.put({ ...ann, place: "4" });
    expect(table.rows().map(({ id }) => id)).toEqual(["bob", "cat", "ann"]);
    rollBack();
    expect(table.rows()).toEqual([ann, bob, cat]);
    expect(table.first(1)).toEqual([ann]);
  });

  const write = fc.oneof(
    fc.record({
      id: fc.constantFrom("a", "b", "c", "d"),
      place: fc.option(fc.constantFrom("1", "2", "3")),
      team: fc.constantFrom("red", "blue"),
    }),
    fc.constantFrom("a", "b", "c", "d"),
  );

  it("law: restores what the table said at the savepoint, also after a refused write", () => {
    fc.assert(
      fc.property(fc.array(write), fc.array(write), (before, since) => {
        const log = new UndoLog();
        const table = seats(log);
        const apply = (one: Seat | string) => {
          if (typeof one === "string") {
            table.delete(one);
            return;
          }
          const undo = log.savepoint();
          try {
            table.put(one);
          } catch {
            undo();
          }
        };
        before.forEach(apply);
        const said = sayings(table);
        const rollBack = log.savepoint();
        since.forEach(apply);
        rollBack();
        expect(sayings(table)).toEqual(said);
        expect(sayings(table)).toEqual(sayings(rebuilt(table)));
      }),
    );
  });
});

type Seats = ReturnType<typeof seats>;

function sayings(table: Seats) {
  const byId = (rows: readonly Seat[]) => rows.map(({ id }) => id).sort();
  return {
    rows: table.rows(),
    places: ["1", "2", "3"].map((place) => table.one("place", place)),
    teams: ["red", "blue"].map((team) => byId(table.by("team", team))),
    free: byId(table.by("free", true)),
  };
}

function rebuilt(table: Seats): Seats {
  const copy = seats();
  copy.put(...table.rows());
  return copy;
}
