import { describe, expect, it } from "vitest";
import { openWorld } from "../../scripts/simulation-world.ts";
import { simulate } from "../../src/testing/simulation/simulate.ts";

/** A history takes about a second; a busy machine takes longer. */
const TAKES_MS = 60_000;

describe("a simulated history", () => {
  it.each([2, 8, 13, 253, 746, 846])(
    "comes to rest with both sides agreeing, and nothing lost, doubled or stuck: seed %i",
    async (seed) => {
      const { world } = await openWorld("memory");
      const { converged, differing, lost, duplicates, stuck } = await simulate({ seed, world });
      const nothing: readonly string[] = [];
      expect({ differing, lost, duplicates, stuck }).toEqual({
        differing: nothing,
        lost: nothing,
        duplicates: nothing,
        stuck: nothing,
      });
      expect(converged).toBe(true);
    },
    TAKES_MS,
  );

  it(
    "is told the same way again by the same seed, and otherwise by another",
    async () => {
      const { world } = await openWorld("memory");
      const once = await simulate({ seed: 17, world });
      const again = await simulate({ seed: 17, world });
      const other = await simulate({ seed: 18, world });
      expect(again.story).toEqual(once.story);
      expect(again.trace).toBe(once.trace);
      expect(other.trace).not.toBe(once.trace);
    },
    TAKES_MS,
  );
});

describe("the verdict on a history", () => {
  it(
    "is that the sides differ where a record says something else in the end",
    async () => {
      const { world } = await openWorld("memory");
      const tasks = async () =>
        (await world.tasks()).map((task) => ({ ...task, title: `${task.title} or not` }));
      const { converged, differing } = await simulate({
        seed: 46,
        world: {
          ...world,
          get config() {
            return world.config;
          },
          tasks,
        },
      });
      expect(converged).toBe(false);
      expect(differing.join("\n")).toContain("or not");
    },
    TAKES_MS,
  );

  it(
    "is that edits were lost where nobody has them in the end",
    async () => {
      const { world } = await openWorld("memory");
      // The app takes an edit and keeps nothing of it.
      const editTask = () => Promise.resolve();
      const { converged, lost } = await simulate({
        seed: 46,
        world: {
          ...world,
          get config() {
            return world.config;
          },
          editTask,
        },
      });
      expect(converged).toBe(false);
      expect(lost).not.toEqual([]);
    },
    TAKES_MS,
  );
});
