/** Plays one fault amid edits of both sides, and judges what is left of it. */
// eslint-disable-next-line no-restricted-imports -- outside of Vitest there is no expect.poll, and a fault lasts
import { setTimeout as delay } from "node:timers/promises";
import { withoutToken } from "../../src/testing/simulation/history/history.ts";
import { type ChaosSite, REPOSITORY } from "./chaos-site.ts";
import type { Fault } from "./faults.ts";

/** How long a fault lasts, and how long Tandem may take to be in step again. */
const LASTS_MS = 4_000;
const PATIENCE_MS = 120_000;
const LOOK_AGAIN_MS = 250;
/** Every process that is at work notices at its next transaction. */
const TOLD_WITHIN_MS = 60_000;

export interface Verdict {
  readonly name: string;
  /** Webhooks that the receiver answered with success, and those of them that it does not have. */
  readonly acknowledged: number;
  readonly lost: number;
  /** Titles and comments of one side that the other does not have. */
  readonly editsLost: number;
  readonly duplicates: number;
  /** Events that ended badly or still wait. */
  readonly stuck: number;
  /** Webhooks that were answered 503 while it lasted. */
  readonly refused: number;
  /** Processes that ended by themselves. */
  readonly fallen: readonly string[];
  readonly secondsToConverge: number;
  /** Whether the operator was told that the database itself lost work, and had to approve. */
  readonly lossTold: boolean;
  readonly ok: boolean;
}

/** @param round makes titles differ between the faults of one site */
export async function playFault(site: ChaosSite, fault: Fault, round: number): Promise<Verdict> {
  const mona = site.github.as("mona");
  const named = (what: string) => `${String(round)}: ${what}`;
  const insert = (what: string) =>
    site.sql(`insert into tasks (project_id, title) values (1, '${named(what)}')`);
  const edit = (what: string, body: string) =>
    site.sql(
      `update tasks set markdown = '${body}', modified_at = now() where title = '${named(what)}'`,
    );
  const there = mona.openIssue(REPOSITORY, { title: named("there before") });
  await insert("here before");
  await converge(site);

  // In the middle of work.
  mona.openIssue(REPOSITORY, { title: named("there at its beginning") });
  await insert("here at its beginning");
  const before = site.github.deliveries.length;
  await fault.begin(site);
  mona.openIssue(REPOSITORY, { title: named("there meanwhile") });
  mona.editIssue(REPOSITORY, there.number, { body: "edited there meanwhile" });
  // The app has a way of its own to the database; a killed database fails the app's writes, too.
  await insert("here meanwhile").catch(() => undefined);
  await edit("here before", "edited here meanwhile").catch(() => undefined);
  await delay(LASTS_MS);
  const meanwhile = site.github.deliveries.slice(before);
  const refused = meanwhile.filter(({ statusCode }) => statusCode === 503).length;
  await fault.end(site);
  const losesWork = fault.losesWork === true;
  const lossTold = losesWork && (await isTold(site));
  if (lossTold) await site.approve();
  const ended = Date.now();
  const isDone = await converge(site);
  const secondsToConverge = (Date.now() - ended) / 1_000;
  const { differing, duplicates, stuck, acknowledged, lost } = await judge(site);
  const isAlarmed = (await site.alarm()) === "foreign_instance";
  // The database cannot have what it lost; both sides agree all the same if one of them had it.
  const isKept = losesWork ? lossTold : lost === 0 && !isAlarmed;
  const fallen = site.fallen();
  const isSeen = fault.refusesWebhooks !== true || refused > 0;
  const isOk =
    isDone && isKept && isSeen && fallen.length === 0 && differing + duplicates + stuck === 0;
  const counts = { acknowledged, lost, editsLost: differing, duplicates, stuck };
  return {
    name: fault.name,
    ...counts,
    refused,
    fallen,
    secondsToConverge,
    lossTold: lossTold || isAlarmed,
    ok: isOk,
  };
}

/** Waits until `/healthz` says that the database lost work. */
async function isTold(site: ChaosSite): Promise<boolean> {
  for (const end = Date.now() + TOLD_WITHIN_MS; Date.now() < end;) {
    if ((await site.alarm().catch(() => null)) === "foreign_instance") return true;
    await delay(LOOK_AGAIN_MS);
  }
  return false;
}

/** Whether both sides say the same within the time they have. GitHub's people redeliver what failed. */
async function converge(site: ChaosSite): Promise<boolean> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    redeliver(site);
    try {
      const { differing, stuck } = await judge(site);
      if (differing + stuck === 0 && site.github.pendingDeliveries === 0) return true;
    } catch {
      // The database may still be on its way back.
    }
    await delay(LOOK_AGAIN_MS);
  }
  return false;
}

function redeliver({ github }: ChaosSite): void {
  if (github.pendingDeliveries > 0) return;
  const { deliveries } = github;
  const taken = new Set(
    deliveries.filter(({ state }) => state === "delivered").map(({ guid }) => guid),
  );
  const left = new Map(
    deliveries.filter(({ guid }) => !taken.has(guid)).map(({ guid, id }) => [guid, id]),
  );
  for (const id of left.values()) github.redeliver(id);
}

async function judge({ github, sql }: ChaosSite) {
  const tasks = await sql<{ said: string }>(
    "select title || ' | ' || markdown as said from tasks where deleted_at is null",
  );
  const here = tasks.map(({ said }) => said);
  const there = github
    .issues(REPOSITORY)
    .map(({ title, body }) => `${title} | ${withoutToken(body)}`);
  const [events] = await sql<{ stuck: number }>(`
    select (select count(*) from tandem.events_live where state in ('queued', 'processing', 'errored'))::int
      + (select count(*) from tandem.changes)::int as stuck`);
  const stored = await sql<{ key: string }>("select delivery_key as key from tandem.deliveries");
  const known = new Set(stored.map(({ key }) => key));
  const taken = new Set(
    github.deliveries.filter(({ state }) => state === "delivered").map(({ guid }) => guid),
  );
  const missing = (of: readonly string[], among: readonly string[]) =>
    of.filter((said) => !among.includes(said)).length;
  return {
    differing: missing(here, there) + missing(there, here),
    duplicates: here.length - new Set(here).size + there.length - new Set(there).size,
    stuck: events?.stuck ?? 0,
    acknowledged: taken.size,
    lost: [...taken].filter((guid) => !known.has(guid)).length,
  };
}
