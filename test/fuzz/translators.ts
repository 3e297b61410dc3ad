/**
 * GitHub's translators, given what GitHub would never send.
 *
 * 1. A delivery is translated, or refused with a `TranslationError` that names a cause and a remedy.
 * 2. A translation is canonical: canonical again, it is the same. It holds nothing that Postgres refuses.
 * 3. Marker and attribution come off a body as they were put on, whatever the body holds.
 */
import fc from "fast-check";
import { ISSUE, ISSUE_COMMENT } from "../../src/integrations/github/resources.ts";
import { putAttribution, takeAttribution } from "../../src/integrations/github/attribution.ts";
import { putToken, takeToken } from "../../src/integrations/github/token.ts";
import { translate } from "../../src/integrations/github/translate.ts";
import { type Translation, TranslationError } from "../../src/integrations/integration.ts";
import { canonical, sameValue, storableText } from "../../src/model/content.ts";
import type { Observation } from "../../src/model/observation.ts";
import { storableJson } from "../../src/store/database/storable-json.ts";
import { expand, mutated, oddText, textOf } from "./junk.ts";
import { payloads, recordedPayloads } from "./payloads.ts";
import { type FuzzTarget, fuzzTarget, must } from "./target.ts";

/** The longest id: what Postgres keeps it in has an index, and no id of GitHub's needs more. */
const LONGEST_ID = 20;

interface Told {
  readonly event: string;
  readonly document: unknown;
  /** How much of the text is left, in parts of a thousand. */
  readonly left: number;
}

const told: fc.Arbitrary<Told> = fc
  .oneof(
    { weight: 4, arbitrary: payloads([42, 42, 43]) },
    { weight: 1, arbitrary: recordedPayloads() },
  )
  .chain(({ event, document }) =>
    fc.record({
      event: fc.oneof(
        { weight: 20, arbitrary: fc.constant(event) },
        { weight: 1, arbitrary: oddText },
      ),
      document: mutated(fc.constant(document)),
      left: fc.oneof(
        { weight: 12, arbitrary: fc.constant(1_000) },
        { weight: 1, arbitrary: fc.nat(1_000) },
      ),
    }),
  );

export const translators: FuzzTarget = fuzzTarget({
  name: "translators",
  share: 0.36,
  inputs: told,
  open: () =>
    Promise.resolve({
      check: (input: Told) => {
        const whole = textOf(input.document);
        const payload = whole.slice(0, Math.ceil((whole.length * input.left) / 1_000));
        checkTranslation(input.event, payload);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    }),
});

function checkTranslation(event: string, payload: string): void {
  let translation: Translation;
  try {
    translation = translate({ event, payload });
  } catch (error) {
    if (!(error instanceof TranslationError)) throw error;
    must(error.message !== "" && error.hint !== "", () => "a refusal without cause and remedy");
    return;
  }
  switch (translation.kind) {
    case "observations":
      for (const { containerId, observation } of translation.observations) {
        checkId(containerId);
        checkObservation(observation);
      }
      return;
    case "moved":
      for (const { containerId, externalId } of [translation.move.from, translation.move.to]) {
        checkId(containerId);
        checkId(externalId);
      }
      if (translation.move.seen !== null) checkObservation(translation.move.seen);
      return;
    case "container":
      for (const change of translation.changes) {
        checkId("containerId" in change ? change.containerId : change.installationId);
      }
      return;
    case "irrelevant":
      must(translation.reason !== "", () => "irrelevant without a reason");
  }
}

/** Throws where an observation is not what the adapter's contract promises. */
export function checkObservation(observation: Observation): void {
  checkId(observation.externalId);
  const { author, content, display, token } = observation;
  if (author !== null) checkId(author.id);
  must(token === null || /^[\w-]{1,64}$/.test(token), () => "a token that is none");
  const url = display.url;
  must(url === undefined || /^https?:/.test(url), () => `a link to ${String(url)}`);
  must(Number.isSafeInteger(observation.updatedAt), () => "a time that is none");
  if (content === null) return;
  const { fields } = observation.type === ISSUE.type ? ISSUE : ISSUE_COMMENT;
  must(sameValue(canonical(content, fields), content), () => "content that is not canonical");
  const text = JSON.stringify(content);
  must(storableJson(content) === text, () => "content that Postgres cannot hold");
}

function checkId(id: string): void {
  must(id.length <= LONGEST_ID && /^\d+$/.test(id), () => `an id "${id.slice(0, 80)}"`);
}

const bodies = fc
  .array(
    fc.oneof(
      oddText,
      fc.constantFrom(
        ...[
          "<!-- tandem:a -->",
          "<!-- tandem-author -->",
          "\n",
          "\n\n",
          "> ",
          "text",
          "<!--",
          "-->",
        ],
      ),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => expand(pieces.join("")));

export const roundTrips: FuzzTarget = fuzzTarget({
  name: "round trips",
  share: 0.12,
  inputs: fc.record({ body: bodies, line: bodies }),
  open: () =>
    Promise.resolve({
      check: ({ body, line }: { readonly body: string; readonly line: string }) => {
        const text = storableText(body);
        const tokened = putToken(body, "k3J9_-");
        const taken = takeToken(tokened);
        if (tokened !== text)
          must(taken.token === "k3J9_-", () => `a token became ${String(taken.token)}`);
        if (tokened !== text) must(taken.body === text, () => "the token changed the body");
        must(
          takeAttribution(putAttribution(body, line)) === text,
          () => "the line changed the body",
        );
        must(storableText(text) === text, () => "text that is not canonical");
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    }),
});
