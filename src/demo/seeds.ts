/** The first content of both sides, so that the page opens with changes to sync. */
import type { GitHubSimulator } from "../testing/github/index.ts";
import type { SampleApp } from "./sample-app.ts";

export async function plantTasks(app: SampleApp): Promise<void> {
  const grace = await app.addUser({ name: "Grace Hopper", githubLogin: "grace" });
  const ada = await app.addUser({ name: "Ada Byron", githubLogin: "ada" });
  const search = await app.createTask(
    {
      title: "Choose a search engine",
      markdown: "It must find German compounds.\n\n- in the database\n- a service of its own",
      status: "doing",
    },
    grace,
  );
  await app.addComment(search, "The one in Postgres is enough for our size.", ada);
  await app.createTask(
    { title: "Write the release notes", markdown: "For 2.0, one page.", status: "todo" },
    ada,
  );
  await app.createTask({ title: "Rename the staging server", markdown: "", status: "done" }, grace);
}

export function plantIssues(simulator: GitHubSimulator, repository: string): void {
  const footer = simulator.as("mona").openIssue(repository, {
    title: "Broken link in the footer",
    body: "The imprint answers **404**.",
  });
  simulator.as("ada").comment(repository, footer.number, "I can see it too, in Firefox.");
  simulator.as("mona").openIssue(repository, {
    title: "Dark mode for the help pages",
    body: "They are very white at night.",
  });
  const prices = simulator.as("ada").openIssue(repository, {
    title: "Prices without tax",
    body: "Customers in Norway ask for them.",
  });
  simulator.as("mona").closeIssue(repository, prices.number);
}
