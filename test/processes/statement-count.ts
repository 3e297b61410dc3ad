/** A proxy before Postgres that counts what a process asks of it. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface StatementCount {
  readonly port: number;
  /** How many statements have passed. */
  total(): number;
  close(): Promise<void>;
}

/** The messages that run a statement: `Execute` and `Query`. */
const RUNS = new Set(["E", "Q"].map((letter) => letter.charCodeAt(0)));

/** @param target The server's port on this machine. */
export async function countStatements(target: number): Promise<StatementCount> {
  let total = 0;
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
    let unread = Buffer.alloc(0);
    // The first message has no letter that says which it is.
    let letters = 0;
    from.on("data", (bytes: Buffer) => {
      unread = Buffer.concat([unread, bytes]);
      while (unread.length >= letters + 4) {
        const size = letters + unread.readInt32BE(letters);
        if (unread.length < size) return;
        if (letters === 1 && RUNS.has(unread.readUInt8(0))) total += 1;
        letters = 1;
        unread = unread.subarray(size);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    // A server that listens on a port has an address with one.
    port: (server.address() as AddressInfo).port,
    total: () => total,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
}
