/** Which stages of CI run at the same time. */
import { describe, expect, it } from "vitest";
import { plannedMinutes, stagesToStart } from "../../../scripts/ci/schedule.ts";
import type { Stage } from "../../../scripts/ci/stage.ts";
import { sampleStage } from "./sample-stage.ts";

const alone = sampleStage("alone", { minutes: 2 });
const [lint, format, build] = ["lint", "format", "build"].map((name) =>
  sampleStage(name, { beside: true }),
) as [Stage, Stage, Stage];
const pack = sampleStage("package", { beside: true, after: ["build"] });

const toStart = (waiting: readonly Stage[], running: readonly Stage[] = []) =>
  stagesToStart(waiting, running).map(({ name }) => name);

describe("the next stages to start", () => {
  it("are one that needs the machine for itself", () => {
    expect(toStart([alone, sampleStage("next")])).toEqual(["alone"]);
  });

  it("are none while such a one runs", () => {
    expect(toStart([lint, format], [alone])).toEqual([]);
  });

  it("are two neighbours that may run beside each other, and one more where one has ended", () => {
    expect(toStart([lint, format, build])).toEqual(["lint", "format"]);
    expect(toStart([build], [lint])).toEqual(["build"]);
    expect(toStart([build], [lint, format])).toEqual([]);
  });

  it("overtake none that needs the machine for itself", () => {
    expect(toStart([alone, lint], [format])).toEqual([]);
    expect(toStart([lint, alone, format])).toEqual(["lint"]);
  });

  it("wait for the neighbour that they come after, which another may overtake", () => {
    expect(toStart([pack], [build])).toEqual([]);
    expect(toStart([pack, lint], [build])).toEqual(["lint"]);
    expect(toStart([pack], [lint])).toEqual(["package"]);
  });
});

describe("the planned time", () => {
  it("is the sum of what runs alone, and the longer of two that run beside each other", () => {
    expect(plannedMinutes([alone, lint, { ...format, minutes: 3 }, alone])).toBe(7);
    expect(plannedMinutes([{ ...lint, minutes: 5 }, format, build, pack])).toBe(5);
  });

  it("does not exist for stages that wait for each other", () => {
    const circle = [
      { ...lint, after: ["format"] },
      { ...format, after: ["lint"] },
    ];
    expect(() => plannedMinutes(circle)).toThrow("these wait for each other: lint, format");
  });
});
