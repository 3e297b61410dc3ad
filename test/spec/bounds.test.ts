/**
 * The rules were first searched when nothing was built, as models of what was to be. The models of the
 * rules as built are searched at least as far: each row of the normal run is held to one of these.
 */
import { describe, expect, it } from "vitest";
import { matrix, type Row } from "../../spec/matrix.ts";

/** The bounds of the first set, in the words of ours: `LOCAL` was `CHKL`, `REMOTE KEPT` was `CHKR KEEPW`. */
const first: readonly Pick<Row, "name" | "model" | "bounds">[] = [
  { name: "inbound", model: "lane", bounds: "NE=3 NB=1 NT=2 NP=1 STRICT" },
  { name: "inbound, errors", model: "lane", bounds: "NE=2 NB=1 NT=1 NR=1 STRICT" },
  {
    name: "record, bump, reverts, unknown outcome",
    model: "lane",
    bounds: "RECORD NE=1 NL=2 NT=1 NX=1 NB=1 LREV LOCAL STRICT",
  },
  {
    name: "record, a late landing",
    model: "lane",
    bounds: "RECORD NE=1 NL=2 NT=1 NX=1 NO=1 LOCAL STRICT",
  },
  {
    name: "record, two unknown outcomes, a late landing, an error",
    model: "lane",
    bounds: "RECORD NE=1 NL=1 NT=1 NX=2 NO=1 NR=1 LOCAL STRICT",
  },
  {
    name: "field, two fields, unknown outcome",
    model: "lane",
    bounds: "TWO NE=2 NL=1 NT=1 NX=1 LOCAL STRICT",
  },
  {
    name: "field, two fields, a late landing",
    model: "lane",
    bounds: "TWO NE=1 NL=1 NT=1 NX=1 NO=1 LOCAL STRICT",
  },
  { name: "a remote edit under our write", model: "lane", bounds: "NE=1 NL=1 NT=1 REMOTE KEPT" },
  { name: "delete, 404", model: "delete", bounds: "NE=1 NL=1 NDR=1 NDL=1 NX=1 NT=1" },
  { name: "delete, 410", model: "delete", bounds: "NE=1 NL=1 NDR=1 NDL=1 NX=1 NT=1 GONE" },
  {
    name: "delete, webhooks of deletions kept, no sweep",
    model: "delete",
    bounds: "NE=1 NL=1 NDR=1 NDL=1 NX=1 NT=1 NO_SWEEP KEPT_DELETES",
  },
  { name: "create, a lagging list, a late POST, a copy", model: "create", bounds: "NX=2 NH=1" },
];

/** Words that let more happen or look at more; any other makes it another world. */
const FURTHER = ["LREV", "STRICT", "LOCAL"];

interface Bounds {
  readonly budgets: ReadonlyMap<string, number>;
  readonly words: readonly string[];
}

function boundsOf({ bounds }: Pick<Row, "bounds">): Bounds {
  const flags = bounds.split(" ").filter((flag) => flag !== "");
  const budgets = flags.flatMap((flag): [string, number][] => {
    const [name = "", value] = flag.split("=");
    return value === undefined ? [] : [[name, Number(value)]];
  });
  return { budgets: new Map(budgets), words: flags.filter((flag) => !flag.includes("=")) };
}

/** Whether all that may happen within `small` may happen within `large`, and no less is looked at. */
function reaches(large: Bounds, small: Bounds): boolean {
  const budgets = [...small.budgets].every(
    ([name, value]) => (large.budgets.get(name) ?? 0) >= value,
  );
  const added = large.words.filter((word) => !small.words.includes(word));
  return (
    budgets &&
    small.words.every((word) => large.words.includes(word)) &&
    added.every((word) => FURTHER.includes(word))
  );
}

describe("the bounds of the models", () => {
  it.each(first)("reach as far as the first set's: $name", (row) => {
    const far = matrix.filter(
      (ours) =>
        ours.model === row.model &&
        ours.expect === "holds" &&
        ours.full !== true &&
        reaches(boundsOf(ours), boundsOf(row)),
    );
    expect(far.map(({ name }) => name)).not.toEqual([]);
  });

  it("are told apart where one reaches less far", () => {
    const small = boundsOf({ bounds: "NE=1 NX=1 STRICT" });
    expect(reaches(boundsOf({ bounds: "NE=2 NX=1 STRICT LOCAL" }), small)).toBe(true);
    expect(reaches(boundsOf({ bounds: "NE=2 STRICT" }), small)).toBe(false);
    expect(reaches(boundsOf({ bounds: "NE=1 NX=1" }), small)).toBe(false);
    expect(reaches(boundsOf({ bounds: "NE=1 NX=1 STRICT KEPT" }), small)).toBe(false);
  });
});
