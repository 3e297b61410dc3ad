/**
 * `GET /metrics` for Prometheus. Waiting items are counted in the database at each scrape, so every
 * process reports the same numbers. Finished work is counted by the process that did it, so a server
 * does not report the work of workers in other processes.
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { TandemCore } from "../compose.ts";
import { SECOND } from "../model/instant.ts";

export interface Metrics {
  readonly contentType: string;
  /** Counts a refused webhook, by cause and, if it is known, by integration. */
  refused(integration: string, code: string): void;
  /** The present values, in Prometheus' text format. */
  read(): Promise<string>;
}

/** States whose events are counted; `processing` always leads to one of them. */
const COUNTED = [
  "completed",
  "ignored",
  "duplicate",
  "canceled",
  "errored",
  "disabled",
  "queued",
] as const;

export function createMetrics(core: TandemCore): Metrics {
  const registry = new Registry();
  const { store } = core.services;
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });

  const moved = new Counter({
    name: "tandem_events_total",
    help: "Events that this process brought into a state, by direction and reason.",
    labelNames: ["direction", "state", "reason"],
    registers: [registry],
  });
  const conflicts = new Counter({
    name: "tandem_conflicts_total",
    help: "Conflicts that this process recorded: values that lost against the other side, kept on their events.",
    labelNames: ["direction"],
    registers: [registry],
  });
  const refused = new Counter({
    name: "tandem_webhooks_refused_total",
    help: "Webhooks that this process refused, by cause.",
    labelNames: ["integration", "code"],
    registers: [registry],
  });
  for (const state of COUNTED) {
    core.on(state, ({ event }) => {
      moved.inc({ direction: event.direction, state, reason: event.reason });
    });
  }
  core.on("conflict", ({ event, conflicts: added }) => {
    conflicts.inc({ direction: event.direction }, added.length);
  });

  const live = gauge("tandem_events_live", "Events that have not ended.", ["state"]);
  const late = gauge(
    "tandem_due_late_seconds",
    "How long the oldest due item has waited: an event, or a delivery to translate.",
    ["what"],
  );
  const undrained = gauge(
    "tandem_changes_undrained",
    "Captured writes that the drain has not yet turned into events.",
    [],
  );
  const deliveries = gauge("tandem_deliveries", "Webhook deliveries that wait for translation.", [
    "state",
  ]);
  const missed = gauge(
    "tandem_missed_deliveries",
    "Webhooks that failed at the provider and have not arrived since: a redelivery is requested, or given up.",
    ["state"],
  );
  const accounts = gauge(
    "tandem_account_active",
    "1 where an account may be used; 0 where it is paused or needs attention.",
    ["integration", "account", "state"],
  );
  const connections = gauge(
    "tandem_connection_enabled",
    "1 if a connection is switched on, by direction.",
    ["integration", "container", "scope", "direction"],
  );

  const failing = gauge(
    "tandem_connection_poll_failing",
    "1 if the last poll of a connection failed.",
    ["integration", "container", "scope"],
  );
  const polled = gauge(
    "tandem_connection_polled_seconds",
    "How long ago a poll of a connection last succeeded.",
    ["integration", "container", "scope"],
  );

  async function look(): Promise<void> {
    const [counts, received, lost, due, logins, joined] = await Promise.all([
      store.ledger.counts(),
      store.deliveries.waiting(),
      store.redeliveries.counts(),
      store.ledger.nextDue(),
      store.directory.accounts(),
      store.directory.connections(),
    ]);
    for (const [state, count] of Object.entries(counts.live)) live.set({ state }, count);
    undrained.set(counts.undrained);
    for (const [state, count] of Object.entries(received)) deliveries.set({ state }, count);
    for (const [state, count] of Object.entries(lost)) missed.set({ state }, count);
    const waited = (since: number | null) =>
      since === null ? 0 : Math.max(0, (due.now - since) / SECOND);
    late.set({ what: "event" }, waited(due.due));
    late.set({ what: "delivery" }, waited(due.deliveryDue));
    // The account's state is a label: without the reset its previous state would stay.
    accounts.reset();
    connections.reset();
    failing.reset();
    polled.reset();
    for (const { integration, name, state } of logins) {
      accounts.set({ integration, account: name, state }, state === "active" ? 1 : 0);
    }
    for (const connection of joined) {
      const { integration, containerName: container, scope, inbound, outbound } = connection;
      const where = { integration, container, scope };
      failing.set(where, connection.pollError === null ? 0 : 1);
      const { polledWellAt } = connection;
      if (polledWellAt !== null) polled.set(where, Math.max(0, (due.now - polledWellAt) / SECOND));
      connections.set({ ...where, direction: "inbound" }, inbound ? 1 : 0);
      connections.set({ ...where, direction: "outbound" }, outbound ? 1 : 0);
    }
  }

  return {
    contentType: registry.contentType,
    refused(integration, code) {
      // An unknown sender can invent integrations, and each name would stay in memory forever.
      const known = core.services.integrations.has(integration) ? integration : "unknown";
      refused.inc({ integration: known, code });
    },
    async read() {
      await look();
      return registry.metrics();
    },
  };
}
