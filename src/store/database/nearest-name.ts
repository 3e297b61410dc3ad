/** Which known name a mistyped one probably stands for. */
import { closestMatch } from "leven";

/**
 * ` Did you mean "title"?`, or an empty string if no known name is near: at most a third of the letters differ.
 *
 * @example
 * didYouMean("tittle", ["title", "body"]); // ' Did you mean "title"?'
 */
export function didYouMean(given: string, known: readonly string[]): string {
  const near = closestMatch(given, known, { maxDistance: Math.ceil(given.length / 3) });
  return near === undefined ? "" : ` Did you mean ${JSON.stringify(near)}?`;
}
