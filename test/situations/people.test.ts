/** Situations 43 and 44: which user of the app stands for an author at the integration. */
import { expect, it } from "vitest";
import { describeOnEachDatabase } from "../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

async function restart(app: SampleTandem, event: string): Promise<void> {
  const url = `http://localhost/api/events/${event}/restart`;
  const answer = await app.tandem.fetch(new Request(url, { method: "POST" }));
  expect(answer.status).toBe(200);
}

describeOnEachDatabase("two users of one author", (open) => {
  it("S43 are an explicit error that names both; mended, the event goes on", async () => {
    const app = await givenSampleTandem(await open());
    // The app's own unique constraint minds the case, and GitHub does not.
    await app.sql("insert into users (name, github_login) values ('Mona again', 'Mona')");
    app.github.as("mona").openIssue(app.repo, { title: "Whose?" });
    await app.settle();
    app.github.as("octocat").openIssue(app.repo, { title: "Octocat's" });
    await app.settle();

    const [event] = await app.events();
    expect(event).toMatchObject({
      state: "errored",
      reason: "failed",
      error: {
        code: "ambiguous_actor",
        message: "users 1 and users 2 both have the login mona",
        hint: "Leave github_login to one of them, then restart the event.",
        retryable: false,
      },
    });
    // Nobody else waits, and nobody is guessed.
    expect(await app.story()).toEqual([
      "inbound errored failed",
      "inbound completed created_record",
    ]);
    expect(await app.tasks()).toMatchObject([{ title: "Octocat's", owner_id: "3" }]);
    expect((await app.status()).accounts).toMatchObject([{ state: "active" }]);

    // Restarted before it was mended, it says so again.
    await restart(app, event?.id ?? "");
    await app.settle();
    expect(await app.events()).toMatchObject([
      { id: event?.id, state: "errored", error: { code: "ambiguous_actor" } },
      { state: "completed" },
    ]);

    await app.sql("update users set github_login = null where id = 1");
    await restart(app, event?.id ?? "");
    await app.settle();

    expect(await app.tasks()).toMatchObject([
      { title: "Octocat's", owner_id: "3" },
      { title: "Whose?", owner_id: "2" },
    ]);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed created_record",
    ]);
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Whose?", author: "mona" });
    expect(app.writes()).toBe(0);
    // A restarted event reads the issue again, each time.
    expect(app.reads()).toBe(2);
  });

  it("S43 three are all named, and what the record has already is no matter", async () => {
    const app = await givenSampleTandem(await open());
    app.github.as("mona").openIssue(app.repo, { title: "Before" });
    await app.settle();
    await app.sql("insert into users (name, github_login) values ('B', 'Mona'), ('C', 'MONA')");
    await app.advance(5_000);
    app.github.as("mona").editIssue(app.repo, 1, { title: "Edited" });
    await app.settle();
    app.github.as("mona").openIssue(app.repo, { title: "After" });
    await app.settle();

    // The task has its owner; only a new one asks whose it is.
    expect(await app.tasks()).toMatchObject([{ title: "Edited", owner_id: "1" }]);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed updated_record",
      "inbound errored failed",
    ]);
    expect((await app.events())[2]?.error).toMatchObject({
      code: "ambiguous_actor",
      message: "users 1, users 2 and users 3 all have the login mona",
    });
    expect(app.writes() + app.reads()).toBe(0);
  });
});
