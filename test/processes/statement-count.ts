/** A proxy before Postgres that counts what a process asks of it. */
import type { Socket } from "node:net";
import { openAddress } from "./address.ts";

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
  const address = await openAddress(target, (from) => {
    countIn(from, () => {
      total += 1;
    });
  });
  return { port: address.port, total: () => total, close: () => address.close() };
}

function countIn(from: Socket, count: () => void): void {
  let unread = Buffer.alloc(0);
  // The first message has no letter that says which it is.
  let letters = 0;
  from.on("data", (bytes: Buffer) => {
    unread = Buffer.concat([unread, bytes]);
    while (unread.length >= letters + 4) {
      const size = letters + unread.readInt32BE(letters);
      if (unread.length < size) return;
      if (letters === 1 && RUNS.has(unread.readUInt8(0))) count();
      letters = 1;
      unread = unread.subarray(size);
    }
  });
}
