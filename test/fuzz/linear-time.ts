/**
 * No text takes time out of proportion to its length: four times the length may take four times as long, with a
 * margin for the machine, and never sixteen times. Absolute times say nothing on a busy machine, so ratios are judged.
 */
import fc from "fast-check";
import { compileConfig } from "../../src/compile-config.ts";
import { sampleConfig } from "../../src/demo/sample-config.ts";
import { translate } from "../../src/integrations/github/translate.ts";
import { canonicalValue } from "../../src/model/content.ts";
import { parseInstant } from "../../src/model/instant.ts";
import { refuseMalformed } from "../../src/server/protocol/input.ts";
import { commentPayload, issuePayload } from "./payloads.ts";
import { type FuzzTarget, fuzzTarget } from "./target.ts";

const SHORT = 10_000;
const LONG = 4 * SHORT;
/** Less is noise, whatever its ratio. */
const NOTICEABLE_MS = 25;
/** Between linear, 4, and quadratic, 16. */
const HIGHEST_RATIO = 10;

interface Text {
  readonly where: keyof typeof PLACES;
  readonly before: string;
  readonly piece: string;
  readonly after: string;
}

const PIECES = [
  ...[" ", "\n", " \n", "\r", "\t", "> ", ">", "a", "9", "\\", '"', "/", "%", "\0", "\ud800", "é"],
  ...["<!-- tandem:a -->", "<!-- tandem:", "<!-- tandem-author -->", "a <!-- tandem-author -->\n"],
  ...["<!--", "-->", "\n\n", "/pull/1", "/issues/1", "1.", "1e", "https://", "@", "+00", "0:"],
];
const piece = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 3 })
  .map((all) => all.join(""));

const PLACES = {
  title: inIssue("title"),
  body: inIssue("body"),
  html_url: inIssue("html_url"),
  updated_at: inIssue("updated_at"),
  number: inIssue("number"),
  repository_url: inIssue("repository_url"),
  comment: (text: string) => {
    const comment = { ...commentPayload(7, 1), body: text };
    return () => translated("issue_comment", { issue: issuePayload(1, 42), comment });
  },
  comment_url: (text: string) => {
    const comment = { ...commentPayload(7, 1), html_url: text, issue_url: text };
    return () => translated("issue_comment", { issue: issuePayload(1, 42), comment });
  },
  payload: (text: string) => () => attempt(() => translate({ event: "issues", payload: text })),
  event: (text: string) => () => attempt(() => translate({ event: text, payload: "{}" })),
  line: (text: string) => () => canonicalValue(text, "line"),
  instant: (text: string) => () => attempt(() => parseInstant(`2026-01-01T00:00:00${text}`)),
  path: (text: string) => () => asked(`events/${encodeURIComponent(text.toWellFormed())}`),
  query: (text: string) => () => asked(`events?record=${encodeURIComponent(text.toWellFormed())}`),
  time_zone: (text: string) => () =>
    attempt(() => compileConfig({ ...sampleConfig("postgres://localhost/x"), timeZone: text })),
};

function inIssue(field: string) {
  return (text: string) => () =>
    translated("issues", { issue: { ...issuePayload(1, 42), [field]: text } });
}

function translated(event: string, document: Readonly<Record<string, unknown>>): unknown {
  const repository = { id: 42, full_name: "acme/site" };
  const action = event === "issues" ? "edited" : "created";
  const payload = JSON.stringify({ action, repository, ...document });
  return attempt(() => translate({ event, payload }));
}

function asked(path: string): unknown {
  return refuseMalformed(new Request(`http://localhost/api/${path}`));
}

/** Whether it is refused is another target's business. */
function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

export const linearTime: FuzzTarget = fuzzTarget({
  name: "linear time",
  share: 0.03,
  inputs: fc.record<Text>({
    where: fc.constantFrom(...(Object.keys(PLACES) as (keyof typeof PLACES)[])),
    before: piece,
    piece,
    after: piece,
  }),
  open: () => Promise.resolve({ check, close: () => Promise.resolve() }),
});

function check(text: Text): Promise<void> {
  let shown = "";
  // Three times in a row: a machine that stood still for a moment does so once.
  for (let round = 0; round < 3; round += 1) {
    const long = timeOf(text, LONG);
    if (long < NOTICEABLE_MS) return Promise.resolve();
    const short = Math.min(timeOf(text, SHORT), timeOf(text, SHORT));
    if (long / short < HIGHEST_RATIO) return Promise.resolve();
    shown = `${short.toFixed(1)} ms for ${String(SHORT)} characters, ${long.toFixed(1)} ms for ${String(LONG)}`;
  }
  return Promise.reject(new Error(shown));
}

function timeOf({ where, before, piece: repeated, after }: Text, length: number): number {
  const work = PLACES[where](before + repeated.repeat(length / repeated.length) + after);
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
