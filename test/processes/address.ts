/** An address that leads to a server, as a virtual IP does, and can be led to another. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Address {
  readonly port: number;
  /** New connections go there; those that are open stay where they are. */
  leadTo(port: number): void;
  close(): Promise<void>;
}

/** @param meet Is given each connection that comes in. Default: nothing is done with it. */
export async function openAddress(
  first: number,
  meet: (from: Socket) => void = () => undefined,
): Promise<Address> {
  let target = first;
  const open = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(target, "127.0.0.1");
    for (const [end, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(end);
      end.on("error", () => undefined);
      end.on("close", () => {
        open.delete(end);
        other.destroy();
      });
      end.pipe(other);
    }
    meet(from);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    // A server that listens on a port has an address with one.
    port: (server.address() as AddressInfo).port,
    leadTo(port) {
      target = port;
    },
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
}
