/** Creates whose body leaves no room for the token, and what waits beside them. */
import { expect, it } from "vitest";
import { BODY_LIMIT } from "../../../src/integrations/github/index.ts";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { POST_ISSUE } from "../../harness/in-flight.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

/** No token fits behind it. */
const FULL = "x".repeat(BODY_LIMIT - 10);
/** How long a resource waits for an open create before its content decides. */
const DEADLINE_MINUTES = 5;

describeOnOneDatabase("a create without room for a token that", (open) => {
  it("was found by its content: what waited beside it goes on", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    await app.addTask({ title: "Long", markdown: FULL });
    await app.settle();
    app.github.faults.api.down = true;
    await app.advance(45_000);
    app.github.as(TEST_LOGIN).openIssue(app.repo, { title: "By another program" });
    await app.settle();
    await app.advance(245_000);
    await app.settle();
    expect(await app.tasks()).toHaveLength(1);

    await app.advance(11_000);
    await app.settle();
    expect((await app.tasks()).map(({ title }) => title)).toEqual(["Long", "By another program"]);
  });

  it("S59 is open beside one that has room, whose token was edited away: each gets its own by its content", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" }, 2);
    app.github.faults.webhooks.drop = 1;
    const long = await app.addTask({ title: "Long", markdown: FULL });
    await app.settle();
    const short = await app.addTask({ title: "Short", markdown: "Text of some length" });
    await app.settle();
    app.github.faults.webhooks.drop = 0;
    app.github.faults.api.down = true;
    await app.advance(1_000);
    app.github.as("mona").editIssue(app.repo, 2, { body: "Text of some length" });
    await app.settleWithin(DEADLINE_MINUTES + 1);

    expect(await app.pairings(short)).toMatchObject([{ integration_external_id: "2" }]);

    app.github.faults.api.down = false;
    await app.settleWithin(60);
    expect(await app.pairings(long)).toMatchObject([{ integration_external_id: "1" }]);
    expect(await app.tasks()).toHaveLength(2);
  });

  it("failed: an issue still waits for another create that is open", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer", applied: false });
    // The look for it is refused; so it stays until somebody restarts it.
    app.github.failNext({ method: "GET", path: /\/issues$/, with: 422 });
    await app.addTask({ title: "Long", markdown: FULL });
    await app.settleWithin(1);
    expect(await app.story()).toEqual(["outbound errored failed"]);
    await app.advance(DEADLINE_MINUTES * 60_000);
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer" });
    await app.addTask({ title: "Open", markdown: FULL });
    await app.settle();
    app.github.faults.api.down = true;
    app.github.as(TEST_LOGIN).openIssue(app.repo, { title: "By another program" });
    await app.settle();
    await app.advance(31_000);
    await app.settle();
    expect((await app.tasks()).map(({ title }) => title)).toEqual(["Long", "Open"]);

    app.github.faults.api.down = false;
    await app.settleWithin(10);
    expect((await app.tasks()).map(({ title }) => title)).toEqual([
      "Long",
      "Open",
      "By another program",
    ]);
  });
});
