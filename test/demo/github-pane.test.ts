/** Mona in front of GitHub's page, and a GitHub that survives a restart of the demo. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rememberRepository } from "../../src/demo/github-memory.ts";
import { githubPane } from "../../src/demo/github-pane.ts";
import { createGitHubSimulator } from "../../src/testing/github/index.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const REPOSITORY = "acme/site";

function aGitHub() {
  const simulator = createGitHubSimulator({ clock: new VirtualClock(), random: seededRandom(1) });
  simulator.createRepository({ owner: "acme", name: "site" });
  return { simulator, pane: githubPane(simulator, REPOSITORY) };
}

describe("the GitHub pane", () => {
  it("shows what mona does", () => {
    const { pane } = aGitHub();
    const number = pane.openIssue({ title: "Broken link", body: "In the footer." });
    pane.comment(number, "Still broken.");
    pane.editIssue(number, { title: "Broken links", state: "closed" });
    expect(pane.issues()).toMatchObject([
      {
        number,
        title: "Broken links",
        body: "In the footer.",
        state: "closed",
        author: "mona",
        comments: [{ body: "Still broken.", author: "mona" }],
      },
    ]);
  });

  it("does not show what GitHub hides, and leaves it where it is", () => {
    const { simulator, pane } = aGitHub();
    const hidden = "\n\n<!-- tandem:k3J9 -->";
    const number = pane.openIssue({ title: "Fix it", body: `Now.${hidden}` });
    expect(pane.issues()[0]?.body).toBe("Now.");
    pane.editIssue(number, { body: "Tomorrow." });
    expect(pane.issues()[0]?.body).toBe("Tomorrow.");
    expect(simulator.issue(REPOSITORY, number)?.body).toBe(`Tomorrow.${hidden}`);
  });

  it("edits and deletes comments", () => {
    const { pane } = aGitHub();
    const number = pane.openIssue({ title: "Fix it", body: "" });
    pane.comment(number, "One");
    const id = pane.issues()[0]?.comments[0]?.id ?? "";
    pane.editComment(id, "Two");
    expect(pane.issues()[0]?.comments).toEqual([{ id, body: "Two", author: "mona" }]);
    pane.deleteComment(id);
    pane.deleteIssue(number);
    expect(pane.issues()).toEqual([]);
  });
});

describe("the memory of the simulated GitHub", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tandem-demo-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("brings back numbers, ids and texts, and gives no number out again", () => {
    const file = join(directory, "kept", "github.json");
    const before = aGitHub();
    expect(rememberRepository(before.simulator, REPOSITORY, file)).toBe(false);
    const deleted = before.pane.openIssue({ title: "Deleted", body: "" });
    const closed = before.pane.openIssue({ title: "Closed", body: "Done." });
    before.pane.comment(closed, "Well done.");
    before.pane.editIssue(closed, { state: "closed" });
    const last = before.pane.openIssue({ title: "Deleted too", body: "" });
    before.pane.deleteIssue(deleted);
    before.pane.deleteIssue(last);

    const after = aGitHub();
    expect(rememberRepository(after.simulator, REPOSITORY, file)).toBe(true);
    expect(after.pane.issues()).toEqual(before.pane.issues());
    expect(after.simulator.issue(REPOSITORY, closed)?.id).toBe(
      before.simulator.issue(REPOSITORY, closed)?.id,
    );
    expect(after.pane.openIssue({ title: "New", body: "" })).toBe(last + 1);
  });
});
