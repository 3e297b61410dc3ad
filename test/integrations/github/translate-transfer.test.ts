/** The webhooks of a transfer, and the issue's author according to them. */
import { expect, test } from "vitest";
import { putToken } from "../../../src/integrations/github/token.ts";
import { translate } from "../../../src/integrations/github/translate.ts";

const TOKEN = "0123abcd";

function issue(number: number, body: string) {
  const html_url = `https://github.com/acme/site/issues/${String(number)}`;
  return { number, title: "Ours", body, html_url, updated_at: "2026-01-05T09:00:00Z" };
}

// As recorded, the old one says nothing any more; the new one may not say anything yet.
test.each([
  ["still shows it at its old place", putToken("Text", TOKEN), ""],
  ["shows it at its new place already", "", putToken("Text", TOKEN)],
])("an issue that is transferred has its token, where it %s", (_, before, after) => {
  const [old, there] = [issue(7, before), issue(9, after)];
  const site = { id: 42, full_name: "acme/site" };
  const app = { id: 43, full_name: "acme/app" };
  const told = [
    {
      ...{ action: "transferred", issue: old, repository: site },
      changes: { new_issue: there, new_repository: app },
    },
    {
      ...{ action: "opened", issue: there, repository: app },
      changes: { old_issue: old, old_repository: site },
    },
  ];
  for (const payload of told) {
    expect(translate({ event: "issues", payload: JSON.stringify(payload) })).toMatchObject({
      ...{ kind: "moved", action: payload.action },
      move: { from: { externalId: "7" }, seen: { externalId: "9", token: TOKEN } },
    });
  }
});
