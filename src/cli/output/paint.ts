/** Colours, if the output is a terminal and the user has not disabled them. */
import { styleText } from "node:util";
import type { ApiEvent } from "../../server/protocol/index.ts";
import type { Io } from "./io.ts";

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

/** https://no-color.org: a non-empty value disables colours. */
export function paintFor(io: Io, output: Io["stdout"] = io.stdout): Paint {
  const { NO_COLOR, TERM } = io.env;
  const isWanted = output.isTTY === true && (NO_COLOR ?? "") === "" && TERM !== "dumb";
  const style = (format: "bold" | "dim" | "red" | "green" | "yellow") => (text: string) =>
    isWanted ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: style("bold"),
    dim: style("dim"),
    red: style("red"),
    green: style("green"),
    yellow: style("yellow"),
  };
}

/** A state in its colour: done, in progress, or in need of a person. */
export function paintState(paint: Paint, state: ApiEvent["state"]): string {
  switch (state) {
    case "completed":
      return paint.green(state);
    case "queued":
    case "processing":
    case "disabled":
      return paint.yellow(state);
    case "errored":
      return paint.red(state);
    case "canceled":
    case "ignored":
    case "duplicate":
      return paint.dim(state);
  }
}
