/** The demo in a browser: a person edits both sides, makes every trouble, and sees both agree. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Demo } from "../../src/demo/demo.ts";
import { startBuiltDemo } from "./built-demo.ts";
import { findChromium, launchChromium } from "./chromium.ts";
import { DemoPage } from "./demo-page.ts";

const chromium = findChromium();
const title = chromium === null ? "the demo (skipped: no Chromium here)" : "the demo";

describe.skipIf(chromium === null)(title, () => {
  let demo: Demo;
  let browser: Browser;
  let page: Page;
  let person: DemoPage;
  const problems: string[] = [];
  const foreign: string[] = [];

  beforeAll(async () => {
    demo = await startBuiltDemo();
    browser = await launchChromium(chromium ?? "");
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(demo.url)) foreign.push(request.url());
    });
    person = new DemoPage(page);
    await person.open(demo.url);
  });

  afterAll(async () => {
    await browser.close();
    await demo.close();
  });

  it("opens on tasks and issues that agree, with the events that made it so", async () => {
    await person.sees(person.issues, "Choose a search engine");
    await person.sees(person.tasks, "Broken link in the footer");
    expect(await person.ledger.locator(".event").count()).toBeGreaterThan(0);
  });

  it("takes a task's new title to its issue", async () => {
    await person.retitle(person.tasks, "Write the release notes", "Write the notes of release 2.0");
    await person.sees(person.issues, "Write the notes of release 2.0");
    await person.agreed();
  });

  it("takes an issue's new title to its task", async () => {
    await person.retitle(person.issues, "Dark mode for the help pages", "Dark mode everywhere");
    await person.sees(person.tasks, "Dark mode everywhere");
    await person.agreed();
  });

  it("closes the issue of a task that is done, and the other way round", async () => {
    const task = person.card(person.tasks, "Choose a search engine");
    await task.getByRole("combobox").selectOption("done");
    const issue = person.card(person.issues, "Choose a search engine");
    await issue.getByText("Closed").waitFor();

    await person.expand(issue);
    await issue.getByRole("button", { name: /^Reopen issue/ }).click();
    await person.tasks.locator(".card select.status-todo").nth(2).waitFor();
    await person.agreed();
  });

  it("takes comments along, from either side", async () => {
    const task = person.card(person.tasks, "Broken link in the footer");
    const issue = person.card(person.issues, "Broken link in the footer");
    await person.expand(task);
    await person.expand(issue);
    await task.getByRole("textbox", { name: "New comment" }).fill("The imprint has moved.");
    await task.getByRole("button", { name: "Comment" }).click();
    await issue.getByText("The imprint has moved.").waitFor();
    await issue.getByRole("textbox", { name: "New comment" }).fill("Then link to its new place.");
    await issue.getByRole("button", { name: "Comment" }).click();
    await task.getByText("Then link to its new place.").waitFor();
    await person.agreed();
  });

  it("finds with a poll what a dropped webhook said", async () => {
    await person.turn("drop-webhooks", true);
    await person.retitle(person.issues, "Dark mode everywhere", "Dark mode, unheard of");
    await person.differs();
    await person.press("poll-now");
    await person.sees(person.tasks, "Dark mode, unheard of");
    await person.turn("drop-webhooks", false);
    await person.agreed();
  });

  it("applies a webhook that comes twice once", async () => {
    await person.turn("duplicate-webhooks", true);
    await person.add(person.issues, "issue", "Said twice");
    await person.sees(person.tasks, "Said twice");
    await person.turn("duplicate-webhooks", false);
    await person.agreed();
    const titles = await person.titles(person.tasks);
    expect(titles.filter((each) => each === "Said twice")).toHaveLength(1);
  });

  it("ends with the last edit when webhooks overtake each other", async () => {
    await person.turn("reorder-webhooks", true);
    await person.retitle(person.issues, "Said twice", "First of two edits");
    await person.retitle(person.issues, "First of two edits", "Second of two edits");
    await person.sees(person.tasks, "Second of two edits");
    await person.turn("reorder-webhooks", false);
    await person.agreed();
    await person.sees(person.tasks, "Second of two edits");
  });

  it("keeps a task's edit while the API is down, and delivers it afterwards", async () => {
    await person.turn("api-down", true);
    await person.retitle(person.tasks, "Second of two edits", "Written during an outage");
    await person.differs();
    await person.turn("api-down", false);
    await person.sees(person.issues, "Written during an outage");
    await person.agreed();
  });

  it("pauses the account at a rate limit, says until when, and goes on", async () => {
    await person.press("rate-limit");
    await page
      .getByRole("list", { name: "Connections" })
      .getByText(/paused until/)
      .waitFor();
    await person.differs();
    await person.isPressable("rate-limit");
    await person.sees(person.issues, "while limited");
    await person.agreed();
  });

  it("creates one issue although the answer was lost", async () => {
    await person.press("lost-answer");
    await person.sees(person.issues, "Survive a lost answer");
    await person.agreed();
    const titles = await person.titles(person.issues);
    expect(titles.filter((each) => each.startsWith("Survive a lost answer"))).toHaveLength(1);
  });

  it("keeps the second of two edits in one second", async () => {
    await person.press("two-edits-in-one-second");
    await person.sees(person.tasks, "second edit");
    await person.agreed();
  });

  it("shows the conflict of an edit on both sides, with what was lost", async () => {
    await person.press("edit-both-sides");
    const event = person.ledger.locator(".event", { hasText: /\d conflict/ }).first();
    await event.waitFor();
    await person.agreed();
    await event.getByRole("button").first().click();
    await event.getByText("lost", { exact: true }).waitFor();
    await event.getByText("kept", { exact: true }).waitFor();
    await event.getByRole("button").first().click();
  });

  it("goes on where a killed worker stopped", async () => {
    await person.press("kill-worker");
    await person.isPressable("restart-worker");
    await person.retitle(person.tasks, "Written during an outage", "Written without a worker");
    await person.differs();
    await person.press("restart-worker");
    await person.sees(person.issues, "Written without a worker");
    await person.agreed();
  });

  it("explains a record, and the back button returns", async () => {
    const task = person.card(person.tasks, "Written without a worker");
    await person.expand(task);
    await task.getByRole("link", { name: "Explain" }).click();
    const story = page.getByRole("dialog");
    await story.locator(".event").first().waitFor();
    await page.goBack();
    await story.waitFor({ state: "detached" });
  });

  it("filters the ledger, and shows all of it again", async () => {
    await person.ledger.getByRole("combobox", { name: "State" }).selectOption("duplicate");
    await person.ledger.locator('.event:not([data-state="duplicate"])').waitFor({
      state: "detached",
    });
    await person.ledger.getByRole("combobox", { name: "State" }).selectOption("");
    await person.ledger.locator('.event[data-state="completed"]').first().waitFor();
  });

  it("jumps from a duplicate to the event that it repeats", async () => {
    const duplicate = person.ledger.locator('.event[data-state="duplicate"]').first();
    await duplicate.getByRole("button").first().click();
    await duplicate.getByRole("link", { name: /^Duplicate of/ }).click();
    await person.ledger.locator(".event.target").waitFor();
  });

  it("loads nothing from elsewhere and reports no error", () => {
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
  });
});
