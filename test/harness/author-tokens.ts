/** The sample with users who have tokens of their own. */
import type { AnyConfig, SyncConfig } from "../../src/config.ts";
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";
import type { TokenHook } from "../../src/runtime/settings/hooks.ts";
import type { TestTandemOptions } from "../../src/testing/test-tandem.ts";
import type { TestDatabase } from "./databases.ts";
import { keptLog } from "./kept-log.ts";
import { givenSampleTandem, type SampleTandem } from "./sample-tandem.ts";

export interface TokenTandem extends SampleTandem {
  /** The lines of the log. */
  readonly lines: readonly object[];
}

/** Mona's own token, which GitHub knows. */
export const MONAS = "ghp_monas_own";

/** An app that has Mona's token: what she writes, tasks and comments, says who wrote it. */
export async function givenTokens(
  database: TestDatabase,
  token: TokenHook = ({ user }) => (user.name === "Mona" ? { token: MONAS } : null),
  fields: Readonly<Record<string, string>> = {},
  options: Pick<TestTandemOptions, "failpoints"> = {},
): Promise<TokenTandem> {
  const { log, lines } = keptLog();
  const app = await givenSampleTandem(database, withTokens(token, fields), { ...options, log });
  app.github.token(MONAS, { login: "mona" });
  return { ...app, lines };
}

/** The same with labels on its tasks, each a bug. */
export async function givenLabels(database: TestDatabase): Promise<TokenTandem> {
  await database.sql(SAMPLE_SCHEMA);
  await database.sql("alter table tasks add column labels text[] not null default '{bug}'");
  return givenTokens(database, () => ({ token: MONAS }), { labels: "labels" });
}

/** A body without the token of ours at its end. */
export function said(body: string | null | undefined): string | null | undefined {
  return /^([\s\S]*)\n\n<!-- tandem:\w+ -->$/.exec(body ?? "")?.[1] ?? body;
}

/** Each write's method, with the login whose token it carried. */
export function wrote({ github }: SampleTandem): readonly string[] {
  return github.requests
    .filter(({ method }) => method !== "GET")
    .map(({ method, login }) => `${method} ${login ?? "nobody"}`);
}

/** How often it was asked who a token is. */
export function asked({ github }: SampleTandem): number {
  return github.calls({ method: "GET", path: "/user" });
}

function withTokens(
  token: TokenHook,
  fields: Readonly<Record<string, string>>,
): (config: AnyConfig) => AnyConfig {
  return (config) => {
    const { tasks, comments, ...others } = config.records;
    const issue = tasks?.sync?.["github.issue"] as SyncConfig;
    const comment = comments?.sync?.["github.issue_comment"] as SyncConfig;
    if (config.identities === undefined) throw new Error("the sample has identities");
    const ofTask = { ...issue, author: "owner_id", fields: { ...issue.fields, ...fields } };
    const ofComment = { ...comment, author: "author_id" };
    return {
      ...config,
      identities: { ...config.identities, token },
      records: {
        ...others,
        tasks: { ...tasks, sync: { "github.issue": ofTask } },
        comments: { ...comments, sync: { "github.issue_comment": ofComment } },
      },
    };
  };
}
