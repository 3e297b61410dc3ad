/** The overlaps and inversions that are counted among the edits of a bench's peer. */
import { describe, expect, it } from "vitest";
import { type Handled, orderOf } from "../../bench/peers/order.ts";

/** An edit of one issue that was handed over and taken at these times, and then handled. */
const edit = (
  edit: number,
  [sent, taken]: readonly [number, number],
  [started, ended]: readonly [number, number],
  batch = 0,
): Handled => ({ edit, issue: 1, batch, sent, taken, started, ended });

describe("the order in which a peer handles edits", () => {
  it("is kept where one follows the other", () => {
    expect(orderOf([edit(0, [0, 1], [2, 3]), edit(1, [0, 1], [3, 4])])).toEqual({
      overlaps: 0,
      inversions: 0,
    });
  });

  it("is not kept where a later one of the batch begins first", () => {
    expect(orderOf([edit(0, [0, 1], [3, 4]), edit(1, [0, 1], [2, 3])])).toEqual({
      overlaps: 0,
      inversions: 1,
    });
  });

  it("is not kept where the earlier one had been taken before the later one was sent", () => {
    expect(orderOf([edit(0, [0, 1], [6, 7]), edit(1, [2, 3], [4, 5], 1)]).inversions).toBe(1);
  });

  it("is none where two processes handed them over at the same time", () => {
    for (const sent of [0, 2]) {
      const later = edit(1, [sent, 3], [4, 5], 1);
      expect(orderOf([edit(0, [0, 3], [6, 7]), later]).inversions).toBe(0);
    }
  });

  it("is none where the later one was handed over first", () => {
    expect(orderOf([edit(0, [2, 3], [4, 5]), edit(1, [0, 1], [6, 7], 1)]).inversions).toBe(0);
  });

  it("lets two of one issue not be handled at once, and two of different ones be", () => {
    const first = edit(0, [0, 1], [2, 5]);
    const second = edit(1, [0, 1], [3, 4]);
    expect(orderOf([first, second]).overlaps).toBe(1);
    expect(orderOf([first, { ...second, issue: 2 }]).overlaps).toBe(0);
  });
});
