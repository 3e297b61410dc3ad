/** Links to counterparts: an address that would run in the page is neither stored nor answered. */
import { expect, it } from "vitest";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { postWebhook } from "../../harness/webhooks.ts";

async function givenIssue(app: SampleTandem, address: string | null) {
  app.holdWebhooks();
  app.github.as("mona").openIssue(app.repo, { title: "Look here" });
  const [opened] = app.held();
  const payload = JSON.parse(opened?.body ?? "{}") as { issue: { html_url: string } };
  const body = JSON.stringify({
    ...payload,
    issue: { ...payload.issue, html_url: address ?? payload.issue.html_url },
  });
  expect(await postWebhook(app, { event: "issues", body })).toMatchObject({ status: 202 });
  await app.settle();
}

async function linkOf(app: SampleTandem) {
  const { id } = await app.task();
  const [pairing] = await app.pairings(id);
  const { [id]: status } = await app.tandem.statusOf("tasks", [id]);
  return [pairing?.url, ...(status?.counterparts.map(({ url }) => url) ?? [])];
}

describeOnOneDatabase("a counterpart's address", (open) => {
  it("is kept and answered where it is one of the web", async () => {
    const app = await givenSampleTandem(await open());
    await givenIssue(app, null);
    const url = "https://github.com/acme/site/issues/1";
    expect(await linkOf(app)).toEqual([url, url]);
  });

  it("is not kept where it would run in a page", async () => {
    const app = await givenSampleTandem(await open());
    await givenIssue(app, "javascript:alert(document.cookie)");
    expect(await linkOf(app)).toEqual([null, null]);
    expect(await app.sql("select url from tandem.github_issues")).toEqual([{ url: null }]);
  });

  it("is not answered where it was stored before", async () => {
    const app = await givenSampleTandem(await open());
    await givenIssue(app, null);
    await app.sql(
      `update tandem.integration_records set display = display || '{"url": "javascript:alert(1)"}'`,
    );
    expect(await linkOf(app)).toEqual([null, null]);
  });
});
