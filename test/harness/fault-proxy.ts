/**
 * A TCP proxy on loopback between a process and its server, with the faults of a network:
 *
 * | call             | connections that are open                     | new connections             |
 * | ---------------- | --------------------------------------------- | --------------------------- |
 * | `silence()`      | open, no byte passes, no end is told          | taken, and silent as well   |
 * | `heal()`         | go on with what was held                      | as at first                 |
 * | `forget()`       | stay silent for ever (half-open)              | as at first                 |
 * | `slowDown(ms)`   | each piece passes so much later               | the same                    |
 * | `reset()`        | ended by a reset                              | as at first                 |
 * | `refuse()`       | ended by a reset                              | refused by a reset          |
 * | `leadTo(port)`   | stay where they are                           | lead there                  |
 *
 * `silence()` then `forget()` is a firewall that lost its table, or a host that was cut off and came
 * back under its address. `silence()` then `heal()` is a network that was away for a while.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as later } from "node:timers";

export interface FaultProxy {
  readonly port: number;
  /** Connections that are open on the client's side. */
  connections(): number;
  silence(): void;
  forget(): void;
  heal(): void;
  slowDown(millis: number): void;
  reset(): void;
  refuse(): void;
  leadTo(port: number): void;
  close(): Promise<void>;
}

type Weather = "fine" | "silent" | "refusing";

/** One connection: both ends, and what waits for the silence to end. */
interface Link {
  readonly from: Socket;
  readonly to: Socket;
  /** `null`: bytes pass. */
  held: (() => void)[] | null;
  /** It stays silent whatever heals. */
  forgotten: boolean;
}

/** @param target A port of this machine, at first. */
export async function openFaultProxy(target: number): Promise<FaultProxy> {
  const links = new Set<Link>();
  let leadsTo = target;
  let weather: Weather = "fine";
  let delayMillis = 0;

  const server = createServer({ allowHalfOpen: true }, (from) => {
    if (weather === "refusing") {
      from.resetAndDestroy();
      return;
    }
    const to = connect({ port: leadsTo, host: "127.0.0.1", allowHalfOpen: true });
    const held = weather === "silent" ? [] : null;
    const link: Link = { from, to, held, forgotten: false };
    links.add(link);
    pass(link, from, to);
    pass(link, to, from);
  }).listen(0, "127.0.0.1");

  /** Passes one end's data and closing to the other, unless the link is silent. */
  function pass(link: Link, end: Socket, other: Socket): void {
    const tell = (act: () => void) => {
      const pass = () => {
        if (link.held === null) act();
        else if (!link.forgotten) link.held.push(act);
      };
      if (delayMillis === 0) pass();
      else later(pass, delayMillis);
    };
    end.on("error", () => undefined);
    end.on("data", (bytes: Buffer) => {
      tell(() => other.write(bytes));
    });
    end.on("end", () => {
      tell(() => other.end());
    });
    end.on("close", () => {
      tell(() => {
        links.delete(link);
        other.destroy();
      });
    });
  }

  function drop(link: Link): void {
    links.delete(link);
    link.held = null;
    link.to.destroy();
    if (!link.from.destroyed) link.from.resetAndDestroy();
  }

  await once(server, "listening");
  return {
    // A server that listens on a port has an address with one.
    port: (server.address() as AddressInfo).port,
    connections: () =>
      [...links].filter(({ from }) => !from.readableEnded && !from.destroyed).length,
    silence() {
      weather = "silent";
      for (const link of links) link.held ??= [];
    },
    forget() {
      weather = "fine";
      for (const link of links) link.forgotten ||= link.held !== null;
    },
    heal() {
      weather = "fine";
      delayMillis = 0;
      for (const link of links) {
        if (link.forgotten) continue;
        const held = link.held ?? [];
        link.held = null;
        for (const act of held) act();
      }
    },
    slowDown(millis) {
      delayMillis = millis;
    },
    reset() {
      for (const link of links) drop(link);
    },
    refuse() {
      weather = "refusing";
      for (const link of links) drop(link);
    },
    leadTo(port) {
      leadsTo = port;
    },
    async close() {
      server.close();
      for (const link of links) drop(link);
      await once(server, "close");
    },
  };
}
