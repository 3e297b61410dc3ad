/**
 * A part of a comparison over HTTP, in its own process: a server, a worker, or a load. The harness starts it
 * with an input, and receives what it opened and, at the end, its results.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Setting } from "../harness/bench.ts";
import type { PARTS } from "./parts.ts";

export type PartName = keyof typeof PARTS;
type InputOf<Name extends PartName> = Parameters<(typeof PARTS)[Name]>[0];
type RunningOf<Name extends PartName> = Awaited<ReturnType<(typeof PARTS)[Name]>>;

/** The messages between the harness and a part's process. */
export interface Assignment {
  readonly name: PartName;
  readonly input: unknown;
}
export type Said =
  | { readonly kind: "opened"; readonly value: unknown }
  | { readonly kind: "last"; readonly value: unknown; readonly cpu: number }
  | { readonly kind: "failed"; readonly why: string };

/** A running part, as the harness controls it. */
export interface Held<Opened, Last> {
  readonly opened: Opened;
  /** Stops it; `cpu` is its CPU time since it was opened, in microseconds. */
  readonly stop: () => Promise<{ readonly value: Last; readonly cpu: number }>;
}

const PROGRAM = fileURLToPath(new URL("main.ts", import.meta.url));

/** Starts parts, and ends the remaining ones when the work is over or has failed. */
export async function withParts<T>(
  { nodeFlags }: Setting,
  work: (
    start: <Name extends PartName>(
      name: Name,
      input: InputOf<Name>,
    ) => Promise<Held<RunningOf<Name>["opened"], Awaited<ReturnType<RunningOf<Name>["stop"]>>>>,
  ) => Promise<T>,
): Promise<T> {
  const children: ChildProcess[] = [];
  try {
    return await work(async (name, input) => {
      const child = fork(PROGRAM, { execArgv: [...nodeFlags] });
      children.push(child);
      const assignment: Assignment = { name, input };
      child.send(assignment);
      const opened = await heard(child, "opened");
      return {
        opened: opened.value as RunningOf<typeof name>["opened"],
        async stop() {
          child.send("stop");
          const { value, cpu } = await heard(child, "last");
          await once(child, "exit");
          return { value: value as Awaited<ReturnType<RunningOf<typeof name>["stop"]>>, cpu };
        },
      };
    });
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill("SIGKILL");
  }
}

function heard<Kind extends "opened" | "last">(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Said, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const listen = (said: Said) => {
      child.off("message", listen);
      child.off("exit", left);
      if (said.kind === kind) resolve(said as Extract<Said, { kind: Kind }>);
      else reject(new Error(said.kind === "failed" ? said.why : `it said ${said.kind}`));
    };
    const left = () => {
      reject(new Error("a process of the bench ended before its time"));
    };
    child.on("message", listen);
    child.once("exit", left);
  });
}
