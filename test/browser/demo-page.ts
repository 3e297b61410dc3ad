/** The demo's page as a person uses it: by names and roles, waiting for what becomes visible. */
import type { Locator, Page } from "playwright-core";

/** Recovery after a trouble may need a retry's backoff, a lease and a poll. */
const PATIENCE = 60_000;

export class DemoPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    page.setDefaultTimeout(PATIENCE);
  }

  async open(url: string): Promise<void> {
    await this.#page.goto(url);
    await this.agreed();
  }

  get tasks(): Locator {
    return this.#page.getByRole("region", { name: "Your app" });
  }

  get issues(): Locator {
    return this.#page.getByRole("region", { name: "GitHub" });
  }

  get ledger(): Locator {
    return this.#page.getByRole("region", { name: "Ledger" });
  }

  card(pane: Locator, title: string): Locator {
    return pane.locator(".card", { has: this.#page.getByRole("button", { name: title }) });
  }

  /** Opens a card's editor, unless it is open. */
  async expand(card: Locator): Promise<void> {
    const title = card.locator("button.card-title");
    if ((await title.getAttribute("aria-expanded")) === "false") await title.click();
  }

  /** Saves a new title through the card's form, and closes the card. */
  async retitle(pane: Locator, from: string, to: string): Promise<void> {
    // Held by its id: its title is about to change.
    const id = (await this.card(pane, from).first().getAttribute("id")) ?? "";
    const card = this.#page.locator(`#${id}`);
    await this.expand(card);
    await card.getByRole("textbox", { name: "Title" }).fill(to);
    await card.getByRole("button", { name: "Save" }).click();
    await card.locator("button.card-title", { hasText: to }).click();
  }

  async add(pane: Locator, kind: "task" | "issue", title: string): Promise<void> {
    await pane.getByRole("textbox", { name: `Title of the new ${kind}` }).fill(title);
    await pane.getByRole("button", { name: `Add ${kind}` }).click();
    await this.sees(pane, title);
  }

  async sees(pane: Locator, title: string): Promise<void> {
    await this.card(pane, title).first().waitFor();
  }

  async press(trouble: string): Promise<void> {
    await this.#page.locator(`[data-trouble="${trouble}"]:enabled`).click();
  }

  /** Switches a toggle, and waits until the page shows it. */
  async turn(trouble: string, on: boolean): Promise<void> {
    await this.press(trouble);
    await this.#page.locator(`[data-trouble="${trouble}"][aria-pressed="${String(on)}"]`).waitFor();
  }

  async isPressable(trouble: string): Promise<void> {
    await this.#page.locator(`[data-trouble="${trouble}"]:enabled`).waitFor();
  }

  /** Waits until the page says that both sides differ. */
  async differs(): Promise<void> {
    await this.#page.locator(".headline", { hasText: /differ$/ }).waitFor();
  }

  /** Waits until the page says that both sides agree and that nothing is on its way. */
  async agreed(): Promise<void> {
    await this.#page
      .locator(".standing", { hasText: /^Both sides agree\d+ pairs? compared$/ })
      .waitFor();
  }

  titles(pane: Locator): Promise<string[]> {
    return pane.locator("button.card-title").allTextContents();
  }
}
