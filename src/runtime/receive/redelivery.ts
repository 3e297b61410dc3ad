/**
 * Redelivery: if the provider keeps a log of its webhooks, Tandem requests the failed ones again. Polls find most of
 * their content anyway, but deletions and transfers would wait for the daily sweep. Webhooks about installations are
 * not requested: a late one would undo a later change.
 *
 * 1. One process at a time reads a log. It reads the new entries, newest first and in bounded steps, and a long reading
 *    continues at its cursor.
 * 2. A missed delivery is saved before it is requested, and each request before it is sent.
 * 3. A redelivery is handled like any delivery; one that is known already only counts up.
 */
import { chooseRedeliveries, noteAsk, readsFrom, takeAttempts } from "../../engine/limits/index.ts";
import { type DeliveryLog, IntegrationError } from "../../integrations/integration.ts";
import { addMillis, type Instant, laterOf, MILLISECOND } from "../../model/instant.ts";
import type { DeliveryAttempt, LogPosition, MissedDelivery } from "../../model/missed-delivery.ts";
import type { LogTurn } from "../../store/redeliveries.ts";
import type { AccountRecord } from "../../store/store.ts";
import type { Log, Services } from "../services/index.ts";
import { describeError } from "../failures/index.ts";

/** The number of log pages that one turn reads. */
const PAGES = 10;
/** The number of webhooks that one turn requests. */
const ASKS = 20;
/** The number of due webhooks that one query reads. */
const DUE_PAGE = 200;
/** The delay before the next turn if one turn was not enough. */
const GO_ON_MS = 60_000;
/**
 * The lease of a turn. If a turn takes longer at a slow provider, the next one overlaps it: a webhook may then be
 * requested twice, and the second delivery only counts up.
 */
const LEASE_MS = 10 * 60_000;

/** A provider's log, with the installations whose webhooks in it concern us. */
interface SharedLog {
  readonly log: DeliveryLog;
  readonly account: AccountRecord;
  readonly installations: ReadonlySet<string>;
}

/** Takes every turn that is due; returns how many webhooks were requested. */
export async function redeliverDue(
  services: Services,
  everyMillis: number,
  signal?: AbortSignal,
): Promise<number> {
  let asked = 0;
  for (const shared of await sharedLogs(services)) {
    const { log, account } = shared;
    const now = await services.store.ledger.now();
    const turn = await services.store.redeliveries.takeTurn({
      integration: account.integration,
      name: log.name,
      // Webhooks that failed earlier were before the first poll, which finds their content.
      startAt: providerTime(account, now),
      everyMillis,
      leaseMillis: Math.max(LEASE_MS, everyMillis),
    });
    if (turn !== null) asked += await takeTurn(services, shared, turn, everyMillis, signal);
  }
  return asked;
}

/** Several accounts may be installations of one App: its log is read once. */
async function sharedLogs({ store, gateway, log }: Services): Promise<readonly SharedLog[]> {
  const shared = new Map<string, SharedLog>();
  const [accounts, connections] = await Promise.all([
    store.directory.accounts(),
    store.directory.connections(),
  ]);
  const connected = new Set(connections.map(({ accountId }) => accountId));
  for (const account of accounts.filter(({ id }) => connected.has(id))) {
    try {
      const { deliveryLog } = gateway.account(account);
      const installation = gateway.installation(account);
      if (deliveryLog === undefined || installation === null) continue;
      const key = `${account.integration}\n${deliveryLog.name}`;
      const known = shared.get(key) ?? { log: deliveryLog, account, installations: new Set() };
      const installations = new Set([...known.installations, installation]);
      shared.set(key, { ...known, installations });
    } catch (thrown) {
      // The account's own events report the error.
      log.debug({ account: account.name, ...describeError(thrown) }, "an account cannot be used");
    }
  }
  return [...shared.values()];
}

async function takeTurn(
  services: Services,
  shared: SharedLog,
  turn: LogTurn,
  everyMillis: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { redeliveries } = services.store;
  const soon = addMillis(turn.now, Math.min(GO_ON_MS, everyMillis));
  const later = addMillis(turn.now, everyMillis);
  try {
    const through = await readLog(services, shared, turn, signal);
    const { asked, left } = await ask(services, shared, turn, signal);
    await redeliveries.nextLook(turn.logId, through && !left ? later : soon);
    return asked;
  } catch (thrown) {
    if (signal?.aborted === true) return 0;
    const pause = thrown instanceof IntegrationError ? thrown.retryAfterMs : null;
    // The pause begins now: reading the log may have taken long.
    const goesOnAt = pause === null ? null : addMillis(await services.store.ledger.now(), pause);
    services.log.warn(
      { ...describe(shared), ...describeError(thrown) },
      "failed webhooks could not be requested again; the next turn tries again",
    );
    await redeliveries.nextLook(turn.logId, laterOf(goesOnAt, later) ?? later);
    return 0;
  }
}

/** Reads the new entries of a log; returns whether the reading is complete. */
async function readLog(
  services: Services,
  { log, account, installations }: SharedLog,
  { logId, position, now }: LogTurn,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const from = readsFrom(position);
  const attempts: DeliveryAttempt[] = [];
  let cursor = position.walk?.cursor ?? null;
  const begunAt = position.walk?.begunAt ?? providerTime(account, now);
  for (let pages = 0; pages === 0 || (cursor !== null && pages < PAGES); pages += 1) {
    const page = await pageOf(log, cursor, signal);
    const isNew = ({ at }: DeliveryAttempt): boolean => at >= from;
    attempts.push(
      ...page.attempts.filter(
        (attempt) =>
          isNew(attempt) &&
          attempt.isRepeatable &&
          (attempt.installationId === null || installations.has(attempt.installationId)),
      ),
    );
    cursor = page.attempts.every(isNew) ? page.cursor : null;
  }
  const reached: LogPosition =
    cursor === null
      ? { seenTo: begunAt, walk: null }
      : { seenTo: position.seenTo, walk: { cursor, begunAt } };
  await note(services, account.integration, logId, attempts, reached, now);
  return cursor === null;
}

function providerTime({ clockOffset }: AccountRecord, now: Instant): Instant {
  return addMillis(now, clockOffset / MILLISECOND);
}

/** Reads a page. If the provider no longer accepts the cursor, the reading starts again at the first page. */
async function pageOf(log: DeliveryLog, cursor: string | null, signal: AbortSignal | undefined) {
  try {
    return await log.page(cursor, signal);
  } catch (thrown) {
    const isLost =
      thrown instanceof IntegrationError &&
      (thrown.kind === "permanent" || thrown.code === "foreign_address");
    if (cursor === null || !isLost) throw thrown;
    return log.page(null, signal);
  }
}

async function note(
  { store, log }: Services,
  integration: string,
  logId: string,
  attempts: readonly DeliveryAttempt[],
  position: LogPosition,
  now: Instant,
): Promise<void> {
  const keys = [...new Set(attempts.map(({ deliveryKey }) => deliveryKey))];
  const known = await store.redeliveries.missed(logId, keys);
  const received = await store.deliveries.received(integration, keys);
  const { missed, arrived } = takeAttempts(known, attempts, received, now);
  await store.redeliveries.note(logId, { position, missed, arrived });
  tellArrived(log, arrived);
}

function tellArrived(log: Log, arrived: readonly string[]): void {
  if (arrived.length === 0) return;
  log.info({ deliveries: arrived.length }, "webhooks that had failed have arrived");
}

/** Chooses the due deliveries to request, a page at a time until one has some. */
async function choose(
  services: Services,
  shared: SharedLog,
  { logId, now }: LogTurn,
): Promise<{ readonly chosen: readonly MissedDelivery[]; readonly left: boolean }> {
  const { redeliveries, deliveries } = services.store;
  for (;;) {
    const due = await redeliveries.due(logId, now, DUE_PAGE);
    const keys = due.map(({ deliveryKey }) => deliveryKey);
    const received = await deliveries.received(shared.account.integration, keys);
    const choice = chooseRedeliveries(due, received, now, ASKS);
    await redeliveries.arrived(logId, choice.arrived);
    tellArrived(services.log, choice.arrived);
    await giveUp(services, shared, logId, choice.giveUp);
    if (choice.ask.length > 0 || due.length < DUE_PAGE) {
      return { chosen: choice.ask, left: choice.left > 0 || due.length === DUE_PAGE };
    }
  }
}

/** Requests due deliveries, and gives up those that were requested often enough. */
async function ask(
  services: Services,
  shared: SharedLog,
  turn: LogTurn,
  signal: AbortSignal | undefined,
): Promise<{ readonly asked: number; readonly left: boolean }> {
  const { redeliveries } = services.store;
  const { logId, now } = turn;
  const { chosen, left } = await choose(services, shared, turn);
  for (const missed of chosen) {
    await redeliveries.save(logId, [noteAsk(missed, now)]);
    try {
      await shared.log.redeliver(missed.attemptId, signal);
    } catch (thrown) {
      if (!(thrown instanceof IntegrationError)) throw thrown;
      if (thrown.kind === "rate_limited" || thrown.kind === "credentials") {
        // The request had no effect, so it does not count.
        await redeliveries.save(logId, [missed]);
        throw thrown;
      }
      if (thrown.kind === "retryable") throw thrown;
      await giveUp(services, shared, logId, [{ ...noteAsk(missed, now), state: "given_up" }]);
    }
  }
  if (chosen.length > 0) {
    services.log.info(
      { ...describe(shared), deliveries: chosen.length },
      "failed webhooks were requested again",
    );
  }
  return { asked: chosen.length, left };
}

async function giveUp(
  services: Services,
  shared: SharedLog,
  logId: string,
  missed: readonly MissedDelivery[],
): Promise<void> {
  if (missed.length === 0) return;
  await services.store.redeliveries.save(logId, missed);
  const [first] = missed;
  services.log.warn(
    {
      ...describe(shared),
      deliveries: missed.map(({ deliveryKey }) => deliveryKey),
      status: first?.status,
      hint: "Polls and the id sweep find their content. See the App's recent deliveries for the responses that they got.",
    },
    "failed webhooks are not requested any more",
  );
}

function describe({ log, account }: SharedLog): object {
  return { integration: account.integration, account: account.name, log: log.name };
}
