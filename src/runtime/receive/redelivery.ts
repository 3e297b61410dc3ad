/**
 * Redelivery: where the provider keeps a log of its webhooks, the ones that failed are asked for
 * again. Polls bring most of what they said anyway; deletions and transfers would wait for the daily
 * sweep. News of installations is not asked for: late, it would undo what came after it.
 *
 * 1. One process has the turn at a log. It reads what is new, newest first and in bounded steps, and
 *    a long reading goes on where it was.
 * 2. What was missed is written down before it is asked for, and each request before it leaves.
 * 3. What comes is a delivery like any other, and one that is known already counts up.
 */
import { chooseRedeliveries, noteAsk, readsFrom, takeAttempts } from "../../engine/limits/index.ts";
import { type DeliveryLog, IntegrationError } from "../../integrations/integration.ts";
import { addMillis, type Instant, laterOf, MILLISECOND } from "../../model/instant.ts";
import type { DeliveryAttempt, LogPosition, MissedDelivery } from "../../model/missed-delivery.ts";
import type { LogTurn } from "../../store/redeliveries.ts";
import type { AccountRecord } from "../../store/store.ts";
import { type Log, type Services, describeError } from "../services/index.ts";

/** Pages of a log that one turn reads. */
const PAGES = 10;
/** Webhooks that one turn asks for. */
const ASKS = 20;
/** Webhooks that are due, as many as are looked at together. */
const DUE_PAGE = 200;
/** When a turn comes that goes on with what did not fit into the one before. */
const GO_ON_MS = 60_000;
/**
 * Should a turn's process die, another follows then. One that takes longer, at a slow provider, may meet
 * the next: a webhook is then asked for twice, and its second coming is counted and nothing more.
 */
const LEASE_MS = 10 * 60_000;

/** A provider's log, and whose webhooks in it concern us. */
interface SharedLog {
  readonly log: DeliveryLog;
  readonly account: AccountRecord;
  readonly installations: ReadonlySet<string>;
}

/** Takes every turn that is due; returns how many webhooks were asked for. */
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
      // What failed before was before the first poll, which brings it.
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
      // Its events say what is wrong with it.
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
    // The log may have taken a while to read.
    const goesOnAt = pause === null ? null : addMillis(await services.store.ledger.now(), pause);
    services.log.warn(
      { ...describe(shared), ...describeError(thrown) },
      "failed webhooks could not be asked for; the next turn tries again",
    );
    await redeliveries.nextLook(turn.logId, laterOf(goesOnAt, later) ?? later);
    return 0;
  }
}

/** Reads what is new; whether it is through. */
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

/** A place in a reading that the provider knows no more: it begins anew. */
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

/** What is due, a page at a time until one has something to ask for. */
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

/** Asks for what is due, and gives up what was asked for often enough. */
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
        // It was not applied, so it was no ask.
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
      "webhooks that had failed were asked for again",
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
      hint: "Polls and the id sweep bring what they said. Look at the App's recent deliveries for what answered them.",
    },
    "failed webhooks are asked for no more",
  );
}

function describe({ log, account }: SharedLog): object {
  return { integration: account.integration, account: account.name, log: log.name };
}
