/**
 * One cell of the crash matrix: an edit, a worker that dies or stands still at the failpoint on its
 * way, a successor; then what both sides and the ledger say.
 */
import type { Hold } from "../../../src/testing/github/index.ts";
import type { Child } from "../child.ts";
import { type Cell, isAdoption, isRemoval, outcomeOf, type Pair } from "./matrix.ts";
import type { Site } from "./site.ts";
import {
  differences,
  edit,
  editAgainAtOnce,
  editFound,
  issuesOf,
  prepare,
  subjectOf,
} from "./story.ts";
import { until } from "./until.ts";

export interface Played extends Cell {
  readonly ok: boolean;
  readonly seconds: number;
  /** How the event at the point ended; `null` where it was at none. */
  readonly reason: string | null;
  readonly writes: number;
  readonly problems: readonly string[];
}

/** Plays a cell that can be reached. */
export async function playCell(site: Site, cell: Cell): Promise<Played> {
  const begun = Date.now();
  let seen: Seen = { reason: null, writes: 0, problems: [] };
  try {
    seen = await play(site, cell);
  } catch (error) {
    seen = { ...seen, problems: [error instanceof Error ? error.message : String(error)] };
  } finally {
    site.github.clearFaults();
    await site.bury();
    site.thaw();
  }
  const seconds = (Date.now() - begun) / 1_000;
  return { ...cell, ...seen, ok: seen.problems.length === 0, seconds };
}

type Seen = Pick<Played, "reason" | "writes" | "problems">;

async function play(site: Site, cell: Cell): Promise<Seen> {
  const { point, direction, fate } = cell;
  const pair = await prepare(site, cell);
  await site.freeze();
  site.github.clearRequests();
  const road = await pave(site, cell, pair);
  const worker = await site.startWorker("mortal", `${point}/${direction}:${fate}`);
  const reached = await meetFate(worker, cell);
  await road.clear();
  const problems: string[] = [];
  if ((reached.action === "delete") !== isRemoval(cell.action)) {
    problems.push(`the point tells of ${reached.action}`);
  }
  if (fate === "stop" && !landsLate(cell)) {
    problems.push(...(await continueUnderAnHeir(site, worker, cell, reached.event)));
  }
  site.thaw();
  await comeToRest(site, cell, pair);
  if (fate === "stop" && landsLate(cell)) {
    problems.push(...(await continueAfterAll(site, worker)));
  }
  const writes = site.github.calls({ writes: true });
  if (fate === "stop" && landsLate(cell) && cell.action === "create") {
    problems.push(...(await sweep(site, cell, pair)));
  }
  const event = await eventOf(site, reached.event);
  return {
    reason: event?.reason ?? null,
    writes,
    problems: [...problems, ...judge(cell, event, writes)],
  };
}

/** Stopped with its request ready to leave: it leaves when another has done the work. */
function landsLate({ point }: Cell): boolean {
  return point === "before:send";
}

function judge(cell: Cell, event: EventRow | null, writes: number): readonly string[] {
  const { reasons, writes: bounds } = outcomeOf(cell);
  const [least, most] = bounds;
  const ended = event === null || (event.state === "completed" && reasons.includes(event.reason));
  return [
    ...(ended ? [] : [`the event is ${event.state}, ${event.reason}, not ${reasons.join(" or ")}`]),
    ...(writes >= least && writes <= most
      ? []
      : [`${String(writes)} requests wrote, not ${String(least)} to ${String(most)}`]),
  ];
}

async function comeToRest(site: Site, cell: Cell, pair: Pair): Promise<void> {
  await until(
    "both sides agree and nothing waits",
    async () => (await site.quiet()) && (await differences(site, cell, pair)).length === 0,
    async () => JSON.stringify([await differences(site, cell, pair), await site.waiting()]),
  );
}

interface EventRow {
  readonly state: string;
  readonly reason: string;
  readonly worker: string;
  readonly epoch: string;
}

async function eventOf(site: Site, id: string | null): Promise<EventRow | null> {
  const [event] = await site.sql<EventRow>(
    "select state, reason, worker, epoch::text from tandem.events where id = $1",
    [id],
  );
  return event ?? null;
}

/** The conditions that keep the worker on the way to its point until it is there. */
interface Road {
  readonly clear: () => Promise<void> | void;
}

const OPEN: Road = { clear: () => undefined };

async function pave(site: Site, cell: Cell, pair: Pair): Promise<Road> {
  const { point, direction, action } = cell;
  if (isAdoption(point)) {
    if (!isRemoval(action)) return orphan(site, cell, pair);
    return direction === "outbound"
      ? orphan(site, cell, pair, () => edit(site, cell, pair))
      : unheardOrphan(site, cell, pair);
  }
  if (point.endsWith(":record") && direction === "outbound" && action === "create") {
    // The answer to a create says what was sent; a resource that is found later may say more.
    return orphan(site, cell, pair, () => {
      editFound(site, cell, pair);
    });
  }
  await edit(site, cell, pair);
  // An update that is trusted is claimed and ended in one transaction: this one is read again.
  const isTrusted = direction === "inbound" && action === "update";
  const isAlone = point.endsWith(":claim") || cell.fate === "stop";
  if (isTrusted && isAlone) await editAgainAtOnce(site, pair);
  if (!point.endsWith(":heartbeat")) return OPEN;
  if (direction === "outbound") {
    // The request is under way for longer than the lease lasts without a renewal, and lands then.
    const hold = site.github.holdNext({ method: action === "create" ? "POST" : "PATCH" });
    return { clear: () => release(site, hold) };
  }
  await editAgainAtOnce(site, pair);
  const hold = site.github.holdNext({ method: "GET", path: /\/issues\/\d+$/ });
  return { clear: () => release(site, hold) };
}

/** Lets a held request land. A worker may have died before its request arrived: then none is held. */
function release(site: Site, hold: Hold): void {
  if (isCaught(hold)) hold.release();
  else site.github.clearFaults();
}

/** A create whose worker died when GitHub had made the issue: it is there for whoever finds it. */
async function orphan(
  site: Site,
  cell: Cell,
  pair: Pair,
  meanwhile: () => Promise<void> | void = () => undefined,
): Promise<Road> {
  const byEcho = cell.direction === "inbound";
  site.github.faults.webhooks.hold = true;
  await dieCreating(site, cell, pair);
  await meanwhile();
  if (!byEcho) return { clear: () => letEchoesCome(site) };
  // The listing waits until the echo is ingested.
  const list = cell.of === "issue" ? /\/issues$/ : /\/issues\/comments$/;
  const hold = site.github.holdNext({ method: "GET", path: list });
  await letEchoesCome(site);
  return {
    clear: () => {
      release(site, hold);
    },
  };
}

/** The same, and the first that is heard of the issue is that somebody has deleted it. */
async function unheardOrphan(site: Site, cell: Cell, pair: Pair): Promise<Road> {
  site.github.faults.webhooks.drop = 1;
  await dieCreating(site, cell, pair);
  await site.github.idle();
  site.github.faults.webhooks.drop = 0;
  const subject = await subjectOf(site, cell, pair);
  // A worker that lists in vain would create another.
  site.github.faults.api.down = true;
  await edit(site, cell, pair);
  return {
    async clear() {
      site.thaw();
      await until("the deletion is ingested", async () => {
        const taken = await site.sql(
          `select from tandem.events where direction = 'inbound' and action = 'delete'
             and state = 'completed' and record_type = $1 and record_id = $2`,
          [subject.type, subject.id],
        );
        return taken.length > 0;
      });
      site.github.faults.api.down = false;
    },
  };
}

/** A worker dies when GitHub has made the issue of a task. */
async function dieCreating(site: Site, cell: Cell, pair: Pair): Promise<void> {
  await edit(site, { ...cell, direction: "outbound", action: "create" }, pair);
  const first = await site.startWorker("creator", "after:send:kill");
  await first.ended;
}

function isCaught(hold: Hold): boolean {
  try {
    hold.apply();
    return true;
  } catch {
    return false;
  }
}

async function letEchoesCome(site: Site): Promise<void> {
  site.github.faults.webhooks.hold = false;
  await site.github.releaseDeliveries();
  await site.github.idle();
}

interface Reached {
  readonly failpoint: string;
  readonly event: string | null;
  readonly action: "upsert" | "delete";
}

/** The worker's message about the point that it has reached. */
function reachedBy(worker: Child): string | undefined {
  return worker
    .log()
    .split("\n")
    .find((text) => text.startsWith('{"failpoint"'));
}

/** Waits until the worker is at its point: dead, or standing still. */
async function meetFate(
  worker: Child,
  { point, fate }: Pick<Cell, "point" | "fate">,
): Promise<Reached> {
  const ended: (number | string)[] = [];
  void worker.ended.then((how) => ended.push(how));
  await until(
    `the worker reaches ${point}`,
    () => ended.length > 0 || (fate === "stop" && reachedBy(worker) !== undefined),
    () => worker.log(),
  );
  const text = reachedBy(worker);
  if (text === undefined || (fate === "kill" && ended[0] !== "SIGKILL")) {
    throw new Error(`the worker ended with ${String(ended[0])} before ${point}: ${worker.log()}`);
  }
  return JSON.parse(text) as Reached;
}

/**
 * The stopped worker's lease runs out and an heir claims the event; then it is continued, and finds
 * that the claim is not its own any more. The heir stands still meanwhile, or has ended the event where
 * it claimed it, so that nothing else can have changed the event.
 */
async function continueUnderAnHeir(
  site: Site,
  zombie: Child,
  { direction }: Cell,
  id: string | null,
): Promise<readonly string[]> {
  await until("the lease runs out, and the database ends what stood open", async () => {
    const [row] = await site.sql<{ over: boolean }>(
      "select lease_expires_at < tandem.now() as over from tandem.events_live where id = $1",
      [id],
    );
    return row?.over === true && site.isIdle();
  });
  const heir = await site.startWorker("heir", `after:claim/${direction}:stop`, 60);
  await until("the heir claims the event", async () => {
    const state = (await eventOf(site, id))?.state;
    return reachedBy(heir) !== undefined || (state !== "processing" && state !== "queued");
  });
  const claimed = await eventOf(site, id);
  const status = await letFinish(zombie);
  const after = await eventOf(site, id);
  heir.send("SIGCONT");
  await until("the heir ends the event", async () => {
    const event = await eventOf(site, id);
    return event?.state !== "processing" && event?.state !== "queued";
  });
  const problems = await letFinish(heir);
  return [
    ...(claimed?.worker === "heir"
      ? []
      : [`the heir did not claim it: ${JSON.stringify(claimed)}`]),
    ...status,
    ...problems,
    ...(JSON.stringify(after) === JSON.stringify(claimed)
      ? []
      : [`a lost claim was written under: ${JSON.stringify(claimed)} to ${JSON.stringify(after)}`]),
  ];
}

/** The stopped worker is continued when another has ended its event: its request leaves at last. */
async function continueAfterAll(site: Site, zombie: Child): Promise<readonly string[]> {
  const ledger = () =>
    site.sql<{ line: string }>(
      `select concat_ws(' ', id, direction, state, reason, worker, epoch, finished_at) as line
       from tandem.events`,
    );
  const before = await ledger();
  const problems = await letFinish(zombie);
  await until("the echoes of late requests are ingested", () => site.quiet());
  const after = new Set((await ledger()).map(({ line }) => line));
  return [
    ...problems,
    ...before.flatMap(({ line }) => (after.has(line) ? [] : [`rewritten too late: ${line}`])),
  ];
}

/** Continues a stopped worker; it finishes what it has under way, and ends. */
async function letFinish(worker: Child): Promise<readonly string[]> {
  worker.send("SIGCONT");
  worker.send("SIGTERM");
  const status = await worker.ended;
  return status === 0 ? [] : [`a continued worker ended with ${String(status)}: ${worker.log()}`];
}

/** The issue that landed too late is surplus: the sweep says why, and closes it. */
async function sweep(site: Site, cell: Cell, pair: Pair): Promise<readonly string[]> {
  const issues = () => issuesOf(site, pair.title).filter(({ state }) => state === "open").length;
  const before = issues();
  await site.tandem.sweepNow();
  // The comment that says why waits five minutes for its issue, which never gets a record.
  await until("the sweep's comment waits", async () => {
    const hurried = await site.sql(
      `update tandem.events_live set deadline = tandem.now(), run_at = tandem.now()
       where reason = 'awaiting_parent' returning id`,
    );
    return hurried.length === 1;
  });
  await until(
    "the sweep's changes are ingested",
    () => site.quiet(),
    async () => JSON.stringify(await site.waiting()),
  );
  return [
    ...(before === 2 ? [] : [`${String(before)} open issues before the sweep, not 2`]),
    ...(issues() === 1 ? [] : [`${String(issues())} open issues after the sweep, not 1`]),
    ...(await differences(site, cell, pair)),
  ];
}

/** The unreachable cells of a direction and an action: the edit is made, and none of them is met. */
export async function passBy(site: Site, cells: readonly Cell[]): Promise<readonly string[]> {
  const [first] = cells;
  if (first === undefined) return [];
  const pair = await prepare(site, first);
  await site.freeze();
  try {
    await edit(site, first, pair);
    const armed = cells.map(({ point, direction }) => `${point}/${direction}:kill`);
    const worker = await site.startWorker("immortal", armed.join(","));
    await comeToRest(site, first, pair);
    return await letFinish(worker);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    await site.bury();
    site.thaw();
  }
}
