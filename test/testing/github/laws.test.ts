/** The laws that a poller and a receiver rely on: they hold in the simulator whatever people do. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatInstant } from "../../../src/model/instant.ts";
import type { Person } from "../../../src/testing/github/index.ts";
import { setStage, SITE, type Stage } from "./stage.ts";

interface Step {
  readonly kind:
    "open" | "edit" | "close" | "reopen" | "label" | "comment" | "uncomment" | "delete";
  readonly pick: number;
  readonly pauseMs: number;
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom(
      "open",
      "edit",
      "close",
      "reopen",
      "label",
      "comment",
      "uncomment",
      "delete",
    ),
    pick: fc.nat({ max: 1_000 }),
    pauseMs: fc.constantFrom(0, 0, 300, 1_000, 4_000),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Does one step, as far as there is something to do it to. */
function act(stage: Stage, mona: Person, { kind, pick }: Step): void {
  const issues = stage.sim.issues("acme/site");
  const issue = issues[pick % Math.max(1, issues.length)];
  if (kind === "open" || issue === undefined) {
    mona.openIssue("acme/site", { title: `issue ${String(pick)}` });
    return;
  }
  const { number } = issue;
  const comment = stage.sim.comments("acme/site", number)[0];
  if (kind === "edit") mona.editIssue("acme/site", number, { title: `title ${String(pick % 3)}` });
  if (kind === "close") mona.closeIssue("acme/site", number);
  if (kind === "reopen") mona.reopenIssue("acme/site", number);
  if (kind === "label") mona.addLabel("acme/site", number, pick % 2 === 0 ? "bug" : "question");
  if (kind === "comment") mona.comment("acme/site", number, `comment ${String(pick)}`);
  if (kind === "uncomment" && comment !== undefined) mona.deleteComment("acme/site", comment.id);
  if (kind === "delete") mona.deleteIssue("acme/site", number);
}

describe("laws", { timeout: 30_000 }, () => {
  it("an issue's time never goes back, and its count of comments is right", () => {
    fc.assert(
      fc.property(steps, (story) => {
        const stage = setStage();
        const mona = stage.sim.as("mona");
        const last = new Map<number, number>();
        for (const step of story) {
          act(stage, mona, step);
          stage.clock.advance(step.pauseMs);
          for (const { number, updatedAt, comments } of stage.sim.issues("acme/site")) {
            expect(updatedAt).toBeGreaterThanOrEqual(last.get(number) ?? 0);
            last.set(number, updatedAt);
            expect(stage.sim.comments("acme/site", number)).toHaveLength(comments);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it("a poll since the last poll's second misses no change of an issue that still is", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (story) => {
        const stage = setStage();
        const mona = stage.sim.as("mona");
        const copies = new Map<number, unknown>();
        let since = formatInstant(stage.clock.now());
        for (const step of story) {
          act(stage, mona, step);
          const now = formatInstant(stage.clock.now());
          const query = new URLSearchParams({ state: "all", since, per_page: "100" });
          const { body } = await stage.ask("GET", `${SITE}/issues?${query.toString()}`);
          for (const issue of body as { number: number }[]) copies.set(issue.number, issue);
          since = now;
          stage.clock.advance(step.pauseMs);
        }
        for (const { number, title, state, labels, comments } of stage.sim.issues("acme/site")) {
          expect(copies.get(number)).toMatchObject({
            title,
            state,
            comments,
            labels: labels.map((name) => ({ name })),
          });
        }
      }),
      { numRuns: 20 },
    );
  });

  it("the last webhook of an issue tells its state", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (story) => {
        const stage = setStage();
        const mona = stage.sim.as("mona");
        for (const step of story) {
          act(stage, mona, step);
          await stage.pass(step.pauseMs);
        }
        await stage.pass(50);
        const told = new Map<number, Record<string, unknown>>();
        const gone = new Set<number>();
        for (const { event, payload } of stage.inbox) {
          const issue = payload.issue as Record<string, unknown> & { number: number };
          told.set(issue.number, issue);
          if (event === "issues" && payload.action === "deleted") gone.add(issue.number);
        }
        const issues = stage.sim.issues("acme/site");
        expect(told.size - gone.size).toBe(issues.length);
        for (const { number, title, state, comments } of issues) {
          expect(told.get(number)).toMatchObject({ title, state, comments });
        }
      }),
      { numRuns: 20 },
    );
  });
});
