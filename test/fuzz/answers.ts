/**
 * Answers that no GitHub gives: any status, header, content type and body.
 *
 * A call ends with what its contract promises, or with an `IntegrationError` that has a cause and a remedy.
 */
import fc from "fast-check";
import { github } from "../../src/integrations/github/index.ts";
import { type AccountClient, IntegrationError } from "../../src/integrations/integration.ts";
import { instantFromMillis } from "../../src/model/instant.ts";
import { checkObservation } from "./translators.ts";
import { expand, mutated, oddText } from "./junk.ts";
import { commentPayload, issuePayload } from "./payloads.ts";
import { type FuzzTarget, fuzzTarget, must } from "./target.ts";

const REPOSITORY = 42;
const NOW = instantFromMillis(Date.UTC(2026, 0, 3));
/** More pages than anybody reads of a provider that goes in circles. */
const MOST_PAGES = 5;

interface OddAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: unknown;
  /** How much of the body is left, in parts of a thousand. */
  readonly left: number;
}

interface Called {
  readonly call: keyof typeof CALLS;
  /** Given in turn; the last one from there on. */
  readonly answers: readonly OddAnswer[];
}

const issue = issuePayload(1, REPOSITORY);
const comment = commentPayload(7, 1);
const documents = fc.constantFrom<unknown>(
  ...[issue, issue, [issue, { ...issue, number: 2 }], comment, [comment]],
  ...[
    { id: REPOSITORY, full_name: "acme/site", has_issues: true },
    { id: 5, login: "bot" },
  ],
  ...[{ message: "Not Found", documentation_url: "https://docs.github.com" }, [], {}],
);

const status = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(200, 200, 201) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[204, 205, 206, 226, 300, 301, 302, 304, 307, 308],
      ...[400, 401, 403, 404, 409, 410, 412, 418, 422, 429, 451, 500, 502, 503, 504, 599],
    ),
  },
);

const headerValue = fc.oneof(
  oddText,
  fc.constantFrom(
    ...[
      "0",
      "-1",
      "1e9",
      "99999999999999",
      "60",
      'W/"a"',
      '"a b"',
      "Thu, 01 Jan 1970 00:00:00 GMT",
    ],
    ...[
      '<https://api.github.com/repositories/42/issues?page=2>; rel="next"',
      "<>; rel=next",
      "<http://[>",
    ],
    ...[
      "https://api.github.com/repositories/43/issues/1",
      "https://api.github.com/repositories/42/issues/1",
    ],
    ...["application/json; charset=utf-16", "text/html", "multipart/form-data"],
  ),
);
const header = fc.tuple(
  fc.constantFrom(
    ...["link", "etag", "location", "date", "retry-after", "content-type", "x-github-request-id"],
    ...["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "content-length"],
  ),
  headerValue.map((text) => expand(text)).filter((text) => isHeaderValue(text)),
);

const answer = fc.record<OddAnswer>({
  status,
  headers: fc.array(header, { maxLength: 4 }),
  body: mutated(documents),
  left: fc.oneof(
    { weight: 10, arbitrary: fc.constant(1_000) },
    { weight: 1, arbitrary: fc.nat(1_000) },
  ),
});

const ISSUE_REF = { type: "issue", externalId: "1" } as const;
const COMMENT_REF = { type: "issue_comment", externalId: "7" } as const;

/** Each checks what it is answered. */
const CALLS = {
  identity: async (account) => {
    const { id, login } = await account.identity();
    must(/^\d+$/.test(id) && login !== "", () => `an identity ${id} ${login}`);
  },
  findContainer: async (account) => {
    const { id, name } = await account.findContainer("acme/site");
    must(/^\d+$/.test(id) && name !== "", () => `a container ${id} ${name}`);
  },
  read: async (account) => {
    checkObservation(await site(account).read(ISSUE_REF));
  },
  readComment: async (account) => {
    checkObservation(await site(account).read(COMMENT_REF));
  },
  readIfChanged: async (account) => {
    const read = await site(account).readIfChanged(ISSUE_REF, 'aaaaaaaaaaaa W/"a"');
    if (read !== "unchanged") checkObservation(read);
  },
  create: async (account) => {
    const values = { title: "New", body: "Text", labels: ["bug"] };
    const wanted = { type: "issue", values, parent: null, token: "t0ken" };
    checkObservation(await site(account).create(wanted));
  },
  createComment: async (account) => {
    const wanted = { type: "issue_comment", values: { body: "a" }, parent: ISSUE_REF, token: "t" };
    checkObservation(await site(account).create(wanted));
  },
  patch: async (account) => {
    const sets = { labels: { added: ["a"], removed: ["b"] } };
    checkObservation(await site(account).patch(ISSUE_REF, { title: "Other" }, sets, null));
  },
  delete: async (account) => {
    await site(account).delete(COMMENT_REF);
  },
  close: async (account) => {
    checkObservation(await site(account).close(ISSUE_REF, "A duplicate."));
  },
  children: async (account) => {
    for (const one of await site(account).children(ISSUE_REF, "issue_comment")) {
      checkObservation(one);
    }
  },
  list: (account) => checkPages(account, "issue"),
  listComments: (account) => checkPages(account, "issue_comment"),
} satisfies Readonly<Record<string, (account: AccountClient) => Promise<void>>>;

async function checkPages(account: AccountClient, type: string): Promise<void> {
  let pages = 0;
  for await (const page of site(account).list({ type, since: null, etag: null })) {
    page.observations.forEach(checkObservation);
    pages += 1;
    if (pages === MOST_PAGES) return;
  }
}

function site(account: AccountClient) {
  return account.container({ id: String(REPOSITORY), name: "acme/site" });
}

export const answers: FuzzTarget = fuzzTarget({
  name: "answers",
  share: 0.08,
  inputs: fc.record<Called>({
    call: fc.constantFrom(...(Object.keys(CALLS) as (keyof typeof CALLS)[])),
    answers: fc.array(answer, { minLength: 1, maxLength: 3 }),
  }),
  open: () => Promise.resolve({ check, close: () => Promise.resolve() }),
});

async function check({ call, answers: given }: Called): Promise<void> {
  let asked = 0;
  const account = github().connect({
    name: "acme",
    credentials: { token: "t" },
    fetch: () => {
      asked += 1;
      const next = given[Math.min(asked, given.length) - 1];
      return Promise.resolve(next === undefined ? new Response() : responseOf(next));
    },
    now: () => NOW,
    // Every answer is there at once: no time-out is needed.
    setTimer: () => () => undefined,
  });
  try {
    await CALLS[call](account);
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error;
    must(error.code !== "" && error.message !== "", () => "a failure without a cause");
    must(error.hint !== "", () => `no remedy for ${error.code}`);
    must(
      error.retryAfterMs === null || Number.isSafeInteger(error.retryAfterMs),
      () => "no time to try again",
    );
  }
}

function responseOf({ status: code, headers, body, left }: OddAnswer): Response {
  const text = expand(JSON.stringify(body));
  const isEmpty = [204, 205, 304].includes(code);
  const sent = isEmpty ? null : text.slice(0, Math.ceil((text.length * left) / 1_000));
  const named = headers.map(([name, value]): [string, string] => [name, value]);
  const all: [string, string][] = [["content-type", "application/json"], ...named];
  return new Response(sent, { status: code, headers: Object.fromEntries(all) });
}

function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text) && text.length < 10_000;
}
