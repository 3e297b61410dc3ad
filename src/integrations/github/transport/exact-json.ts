/** Parses JSON without losing the last digits of ids beyond 2^53. */

/** An escape or a quote, to know where strings begin and end, or a number of 16 characters or more. */
const STEPS = /\\.|"|-?\d[\d.eE+-]{15,}/gs;
const MAY_BE_LONG = /\d{16}/;
const LONG_INTEGER = /^-?[1-9]\d{15,}$/;

/**
 * Parses JSON; integers of 16 digits and more become text, everything else is as in `JSON.parse`.
 *
 * A reviver cannot do it on Node 20, which hands it the rounded number only.
 *
 * @example parseExactly('{"id":9007199254740993}') // { id: "9007199254740993" }
 * @throws SyntaxError when the text is not JSON.
 */
export function parseExactly(text: string): unknown {
  if (!MAY_BE_LONG.test(text)) return JSON.parse(text) as unknown;
  let inString = false;
  const quoted = text.replace(STEPS, (step) => {
    if (step === '"') inString = !inString;
    return !inString && LONG_INTEGER.test(step) ? `"${step}"` : step;
  });
  const parsed: unknown = JSON.parse(quoted);
  return parsed;
}
