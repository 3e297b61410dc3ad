import type { Stage } from "../../../scripts/ci/stage.ts";

/** A stage that passes, except for what is given. */
export function sampleStage(name: string, given: Partial<Stage> = {}): Stage {
  return { name, minutes: 1, reads: "exit", command: ["true"], ...given };
}

/** A stage that runs this shell script. */
export function shellStage(name: string, script: string, given: Partial<Stage> = {}): Stage {
  return sampleStage(name, { command: ["sh", "-c", script, "sh"], ...given });
}
