/** The translation of each delivery: recorded payloads of GitHub, and the cases they do not show. */
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { TranslationError } from "../../../src/integrations/github/index.ts";
import { translate } from "../../../src/integrations/github/translate.ts";
import type { Translation } from "../../../src/integrations/integration.ts";
import type { Observation } from "../../../src/model/observation.ts";

const load = createRequire(import.meta.url);

interface Recorded {
  readonly event: string;
  readonly action: string;
  readonly payload: string;
}

const EVENTS = [
  "issues",
  "issue_comment",
  "pull_request",
  "repository",
  "installation",
  "installation_repositories",
  "ping",
];

const exampleShape = z.array(
  z.looseObject({
    name: z.string(),
    examples: z.array(z.looseObject({ action: z.string().optional() })),
  }),
);

/** The payloads that one edition of GitHub was recorded with. */
function recordedAt(edition: string): readonly Recorded[] {
  const file: unknown = load(`@octokit/webhooks-examples/${edition}/index.json`);
  return exampleShape
    .parse(file)
    .filter(({ name }) => EVENTS.includes(name))
    .flatMap(({ name, examples }) =>
      examples.map((payload) => ({
        event: name,
        action: payload.action ?? "-",
        payload: JSON.stringify(payload),
      })),
    );
}

const recorded = recordedAt("api.github.com");

/** The subject of a recorded payload, in one line. */
function summary(translation: Translation): string {
  switch (translation.kind) {
    case "observations":
      return translation.observations
        .map(({ observation }) => `${observation.action} ${observation.type}`)
        .join(", ");
    case "moved":
      return `moved ${translation.move.type}`;
    case "container":
      return translation.changes.map(({ kind }) => kind).join(", ");
    case "irrelevant":
      return `irrelevant: ${translation.reason}`;
  }
}

function observationsIn(translation: Translation): readonly Observation[] {
  return translation.kind === "observations"
    ? translation.observations.map(({ observation }) => observation)
    : [];
}

describe("the recorded payloads", () => {
  test("say what they say, for each event and action", () => {
    const said = new Map<string, Set<string>>();
    for (const { event, action, payload } of recorded) {
      const key = `${event}.${action}`;
      said.set(key, (said.get(key) ?? new Set()).add(summary(translate({ event, payload }))));
    }
    const table = Object.fromEntries([...said].map(([key, all]) => [key, [...all].join(" | ")]));
    expect(table).toEqual({
      "installation.created": "added",
      "installation.deleted": "removed",
      "installation.new_permissions_accepted": "irrelevant: nothing_moved",
      "installation.suspend": "suspended",
      "installation.unsuspend": "unsuspended",
      "installation_repositories.added": "added",
      "installation_repositories.removed": "removed",
      "issue_comment.created": "upsert issue, upsert issue_comment",
      "issue_comment.deleted": "upsert issue, delete issue_comment",
      "issue_comment.edited": "upsert issue, upsert issue_comment",
      "issues.assigned": "upsert issue",
      "issues.deleted": "delete issue",
      "issues.demilestoned": "irrelevant: pull_request",
      "issues.edited": "upsert issue",
      "issues.labeled": "upsert issue",
      "issues.locked": "upsert issue",
      "issues.milestoned": "irrelevant: pull_request",
      "issues.opened": "upsert issue | moved issue",
      "issues.pinned": "upsert issue",
      "issues.reopened": "upsert issue",
      "issues.transferred": "moved issue",
      "issues.unassigned": "upsert issue",
      "issues.unlabeled": "upsert issue",
      "issues.unlocked": "upsert issue",
      "issues.unpinned": "upsert issue",
      "ping.-": "irrelevant: ping",
      "pull_request.assigned": "irrelevant: pull_request",
      "pull_request.closed": "irrelevant: pull_request",
      "pull_request.converted_to_draft": "irrelevant: pull_request",
      "pull_request.labeled": "irrelevant: pull_request",
      "pull_request.locked": "irrelevant: pull_request",
      "pull_request.opened": "irrelevant: pull_request",
      "pull_request.ready_for_review": "irrelevant: pull_request",
      "pull_request.reopened": "irrelevant: pull_request",
      "pull_request.review_request_removed": "irrelevant: pull_request",
      "pull_request.review_requested": "irrelevant: pull_request",
      "pull_request.synchronize": "irrelevant: pull_request",
      "pull_request.unassigned": "irrelevant: pull_request",
      "pull_request.unlabeled": "irrelevant: pull_request",
      "pull_request.unlocked": "irrelevant: pull_request",
      "repository.created": "irrelevant: nothing_moved",
      "repository.edited": "irrelevant: nothing_moved",
      "repository.privatized": "irrelevant: nothing_moved",
      "repository.publicized": "irrelevant: nothing_moved",
      "repository.renamed": "renamed",
      "repository.transferred": "renamed",
    });
  });

  test.each(["ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"])(
    "are all understood from GitHub Enterprise Server %s",
    (edition) => {
      const payloads = recordedAt(edition);
      expect(payloads.length).toBeGreaterThan(0);
      for (const { event, payload } of payloads) {
        expect(summary(translate({ event, payload }))).not.toMatch(/unknown/);
      }
    },
  );

  const observations = recorded.flatMap(({ event, payload }) =>
    observationsIn(translate({ event, payload })),
  );

  test("give content to every upsert, and none to a deletion", () => {
    for (const { action, content } of observations) {
      expect(content === null).toBe(action === "delete");
    }
  });

  test("never give a body or a title that is null", () => {
    for (const { type, content } of observations) {
      if (content === null) continue;
      expect(typeof content.body).toBe("string");
      if (type === "issue") expect(typeof content.title).toBe("string");
    }
  });

  test("name the issue of every comment, and it comes first", () => {
    for (const { event, payload } of recorded.filter((one) => one.event === "issue_comment")) {
      const [issue, comment] = observationsIn(translate({ event, payload }));
      expect(comment?.parent).toEqual({ type: "issue", externalId: issue?.externalId });
    }
  });
});

/** An issue as webhooks carry it, as far as it is read. */
const ISSUE = {
  number: 7,
  title: "Broken link",
  body: "It is broken.",
  state: "open",
  state_reason: null,
  labels: [{ name: "bug" }, { name: "bug" }, { name: "a11y" }],
  assignees: [{ id: 2, login: "hubot" }],
  user: { id: 1, login: "mona" },
  html_url: "https://github.com/acme/site/issues/7",
  updated_at: "2026-03-02T09:00:00Z",
};
const REPOSITORY = { id: 42, full_name: "acme/site" };

function issues(action: string, change: object = {}, rest: object = {}): Translation {
  const payload = { action, issue: { ...ISSUE, ...change }, repository: REPOSITORY, ...rest };
  return translate({ event: "issues", payload: JSON.stringify(payload) });
}

function only(translation: Translation): Observation {
  const [observation, ...others] = observationsIn(translation);
  if (observation === undefined || others.length > 0) throw new Error("not one observation");
  return observation;
}

describe("an issue", () => {
  test("is known by its number, and shows its canonical content", () => {
    expect(issues("opened")).toEqual({
      kind: "observations",
      action: "opened",
      observations: [
        {
          containerId: "42",
          observation: {
            type: "issue",
            externalId: "7",
            action: "upsert",
            updatedAt: Date.UTC(2026, 2, 2, 9) * 1000,
            content: {
              title: "Broken link",
              body: "It is broken.",
              state: "open",
              state_reason: null,
              labels: ["a11y", "bug"],
              assignees: ["hubot"],
              author: { id: "1", login: "mona" },
            },
            display: { number: "7", url: "https://github.com/acme/site/issues/7" },
            parent: null,
            token: null,
            author: { id: "1", login: "mona" },
          },
        },
      ],
    });
  });

  test("gives up its token, and no sign of it is left in the body", () => {
    const seen = only(issues("opened", { body: "Fix it\r\n\r\n<!-- tandem:k3J9 -->" }));
    expect(seen).toMatchObject({ token: "k3J9", content: { body: "Fix it" } });
  });

  test.each([
    ["null", null, ""],
    ["empty", "", ""],
    ["broken by CRLF", "a\r\nb", "a\nb"],
    ["full of emoji", "done \u{1F680}", "done \u{1F680}"],
    ["pierced by NUL", "a\0b", "a\uFFFDb"],
    ["cut inside an emoji", "a\uD83D", "a\uFFFD"],
    ["65,536 characters long", "x".repeat(65_536), "x".repeat(65_536)],
  ])("takes a body that is %s (situation 13)", (_name, body, seen) => {
    expect(only(issues("edited", { body })).content).toMatchObject({ body: seen });
  });

  test("keeps every digit of ids beyond 2^53 (situation 14)", () => {
    const payload = JSON.stringify({ action: "opened", issue: ISSUE, repository: REPOSITORY })
      .replace('"id":42', '"id":9007199254740993')
      .replace('"id":1,', '"id":18446744073709551615,');
    const [first] = translated(payload);
    expect(first?.containerId).toBe("9007199254740993");
    expect(first?.observation.author?.id).toBe("18446744073709551615");
  });

  test("leaves out what the payload does not tell", () => {
    const older = { state_reason: undefined, labels: undefined, user: null };
    const seen = only(issues("edited", older));
    expect(seen.author).toBeNull();
    expect(Object.keys(seen.content ?? {}).sort()).toEqual(["assignees", "body", "state", "title"]);
  });

  test("that is transferred says from where to where, at the old place and at the new one", () => {
    const app = { ...REPOSITORY, id: 43, full_name: "acme/app" };
    const there = { ...ISSUE, number: 9, html_url: "https://github.com/acme/app/issues/9" };
    const move = {
      type: "issue",
      from: { containerId: String(REPOSITORY.id), externalId: String(ISSUE.number) },
      to: { containerId: "43", externalId: "9" },
      seen: { externalId: "9", action: "upsert", display: { url: there.html_url } },
    };
    const leaving = { new_issue: there, new_repository: app };
    expect(issues("transferred", {}, { changes: leaving })).toMatchObject({ kind: "moved", move });
    const coming = { old_issue: ISSUE, old_repository: REPOSITORY };
    const arrived = { changes: coming, repository: app };
    expect(issues("opened", there, arrived)).toMatchObject({ kind: "moved", move });
  });

  test.each(["issues", "issue_comment", "repository", "installation"])(
    "concerns nobody if the action of %s is unknown, and says so",
    (event) => {
      const payload = '{"action":"enchanted"}';
      const nobody = { kind: "irrelevant", action: "enchanted", reason: "unknown_action" };
      expect(translate({ event, payload })).toEqual(nobody);
    },
  );

  test("that is a pull request is none", () => {
    expect(issues("closed", { pull_request: { url: "https://api.github.com" } })).toMatchObject({
      reason: "pull_request",
    });
  });
});

function translated(payload: string) {
  const translation = translate({ event: "issues", payload });
  return translation.kind === "observations" ? translation.observations : [];
}

describe("a comment", () => {
  const comment = {
    id: 99,
    body: "Me too.",
    user: { id: 2, login: "hubot" },
    html_url: "https://github.com/acme/site/issues/7#issuecomment-99",
    issue_url: "https://api.github.com/repos/acme/site/issues/7",
    updated_at: "2026-03-02T09:00:01Z",
  };
  const commented = (action: string, issue: object = {}): Translation => {
    const whole = { action, issue: { ...ISSUE, ...issue }, comment, repository: REPOSITORY };
    return translate({ event: "issue_comment", payload: JSON.stringify(whole) });
  };

  test("follows its issue", () => {
    expect(observationsIn(commented("created"))).toMatchObject([
      { type: "issue", externalId: "7", action: "upsert" },
      {
        type: "issue_comment",
        externalId: "99",
        action: "upsert",
        parent: { type: "issue", externalId: "7" },
        content: { body: "Me too.", author: { id: "2", login: "hubot" } },
      },
    ]);
  });

  test("that is deleted leaves its issue", () => {
    expect(summary(commented("deleted"))).toBe("upsert issue, delete issue_comment");
  });

  test("on a pull request is none", () => {
    const pull = { pull_request: { url: "https://api.github.com/repos/acme/site/pulls/7" } };
    expect(commented("created", pull)).toMatchObject({ reason: "pull_request" });
  });
});

describe("news about repositories", () => {
  test("follow the id, whatever the name", () => {
    const payload = JSON.stringify({
      action: "renamed",
      changes: { repository: { name: { from: "site" } } },
      repository: { id: 42, full_name: "acme/www" },
    });
    expect(translate({ event: "repository", payload })).toEqual({
      kind: "container",
      action: "renamed",
      changes: [{ kind: "renamed", containerId: "42", name: "acme/www" }],
    });
  });

  test("tell a deletion", () => {
    const payload = JSON.stringify({ action: "deleted", repository: REPOSITORY });
    expect(translate({ event: "repository", payload })).toMatchObject({
      changes: [{ kind: "removed", containerId: "42", why: "repository_deleted" }],
    });
  });
});

describe("a delivery that is not what it claims (situation 15)", () => {
  test.each([
    ["star", '{"action":"created"}', "created"],
    ["push", '{"ref":"refs/heads/main"}', null],
    ["constructor", "{}", null],
  ])("concerns nobody if the event is %s", (event, payload, action) => {
    expect(translate({ event, payload })).toEqual({
      kind: "irrelevant",
      action,
      reason: "unknown_event",
    });
  });

  test.each([
    ["no JSON", "{", "malformed_json", ""],
    ["no object", "[]", "malformed_payload", "root"],
    ["no action", "{}", "malformed_payload", "action"],
    ["no issue", '{"action":"opened"}', "malformed_payload", "issue"],
    [
      "a time that is none",
      JSON.stringify({
        action: "opened",
        issue: { ...ISSUE, updated_at: "yesterday" },
        repository: REPOSITORY,
      }),
      "malformed_payload",
      "issue.updated_at",
    ],
    [
      "a transfer to nowhere",
      JSON.stringify({ action: "transferred", issue: ISSUE, repository: REPOSITORY }),
      "malformed_payload",
      "changes",
    ],
  ])("with %s fails and names the place", (_name, payload, code, path) => {
    let failure: unknown;
    try {
      translate({ event: "issues", payload });
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(TranslationError);
    expect(failure).toMatchObject({ code, path, hint: expect.stringMatching(/\w/) });
  });
});
