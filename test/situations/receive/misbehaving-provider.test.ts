/** Situation 73: a provider that lies. Nothing is believed that it must not say, and nothing is given up. */
import { expect, it } from "vitest";
import { withoutToken } from "../../../src/testing/simulation/history/history.ts";
import { describeOnOneDatabase, type TestDatabase } from "../../harness/databases.ts";
import {
  asResponse,
  type Misbehaviour,
  MISBEHAVIOURS,
} from "../../harness/misbehaving-provider.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

/** How long a request may take (`timeoutMs`), and a moment. */
const PATIENCE_MS = 10_001;
const CODES = [
  ...["answer_too_large", "connection_lost", "endless_pages", "foreign_address"],
  ...["malformed_answer", "not_from_github", "server_error", "timed_out", "unexpected_redirect"],
];

interface Story {
  readonly app: SampleTandem;
  /** From here on every answer is one of those; `null`: they are right again. */
  readonly misbehave: (how: Misbehaviour | null) => void;
}

async function givenProvider(database: TestDatabase): Promise<Story> {
  let how: Misbehaviour | null = null;
  const app: SampleTandem = await givenSampleTandem(database, undefined, {
    listenIn: (fetch) => async (input, init) => {
      if (how === null) return fetch(input, init);
      const { answer, isApplied } = how;
      const url = new URL(input instanceof Request ? input.url : String(input));
      const given = isApplied ? await (await fetch(input, init)).text() : "";
      const path = `${url.pathname}${url.search}`;
      const request = { method: init?.method ?? "GET", path, baseUrl: app.github.apiUrl };
      const passTime = () => void app.advance(PATIENCE_MS);
      return asResponse(answer(request, given), init?.signal ?? null, passTime);
    },
  });
  return {
    app,
    misbehave(wrong) {
      how = wrong;
      // Else webhooks would say what the answers do not.
      app.github.faults.webhooks.drop = wrong === null ? 0 : 1;
    },
  };
}

async function sidesOf(app: SampleTandem) {
  const tasks = (await app.tasks()).map(({ title, deleted_at }) => ({
    title,
    isDeleted: deleted_at !== null,
  }));
  const comments = (await app.comments()).map(({ markdown }) => markdown);
  const issues = app.github.issues(app.repo).map(({ title, state }) => ({
    title,
    isDeleted: state === "closed",
  }));
  const bodies = app.github.comments(app.repo).map(({ body }) => withoutToken(body));
  return {
    here: { tasks, comments },
    there: { tasks: issues.sort((a, b) => a.title.localeCompare(b.title)), comments: bodies },
  };
}

describeOnOneDatabase("a provider that lies", (open) => {
  it.each(MISBEHAVIOURS)(
    "S73 $name: it is tried again, and all arrives once when it is right again",
    async (how) => {
      const { app, misbehave } = await givenProvider(await open());
      app.github.as("mona").openIssue(app.repo, { title: "First" });
      await app.settle();
      const { id } = await app.task();
      await app.advance(60_000);

      misbehave(how);
      await app.addTask({ title: "Second" });
      await app.editTask(id, { title: "A first" });
      await app.addComment(id, "From here");
      await app.tandem.syncNow().catch(() => undefined);
      await app.settleWithin(5);

      const events = await app.events();
      expect(events.filter(({ state }) => state === "errored")).toEqual([]);
      const errors = events.flatMap(({ state, error }) =>
        state === "queued" && error !== null ? [error] : [],
      );
      for (const { code, hint, retryable } of errors) {
        expect(CODES).toContain(code);
        expect(hint).not.toBe("");
        expect(retryable).toBe(true);
      }
      expect((await app.status()).accounts).toMatchObject([{ state: "active" }]);

      misbehave(null);
      await app.settleWithin(90);
      await app.tandem.syncNow();
      await app.settleWithin(90);

      const { here, there } = await sidesOf(app);
      expect(here).toEqual({
        tasks: [
          { title: "A first", isDeleted: false },
          { title: "Second", isDeleted: false },
        ],
        comments: ["From here"],
      });
      expect(there).toEqual(here);
      expect(await app.events("state=errored")).toEqual([]);
    },
  );
});
