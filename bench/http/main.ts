/** The program of a part's process. */
import type { Assignment, Said } from "./part.ts";
import { PARTS } from "./parts.ts";

process.once("message", (assignment: Assignment) => {
  run(assignment).catch((error: unknown) => {
    tell({ kind: "failed", why: error instanceof Error ? String(error.stack) : String(error) });
  });
});

async function run({ name, input }: Assignment): Promise<void> {
  // The cast is safe: the harness took the input from the type of the part with that name.
  const open = PARTS[name] as (
    input: unknown,
  ) => Promise<{ readonly opened: unknown; readonly stop: () => Promise<unknown> }>;
  const { opened, stop } = await open(input);
  const before = process.cpuUsage();
  process.once("message", () => {
    const { user, system } = process.cpuUsage(before);
    void stop().then(
      (value) => {
        tell({ kind: "last", value, cpu: user + system }, () => {
          process.disconnect();
        });
      },
      (error: unknown) => {
        tell({ kind: "failed", why: String(error) });
      },
    );
  });
  tell({ kind: "opened", value: opened });
}

function tell(said: Said, then: () => void = () => undefined): void {
  process.send?.(said, then);
}
