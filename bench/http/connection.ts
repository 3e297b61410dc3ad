/**
 * One connection of a client with the least possible cost, because it shares the machine with the measured
 * server. Requests are bytes, and only the status and the end of a response are read.
 */
import { connect, type Socket } from "node:net";

const HEAD_ENDS = Buffer.from("\r\n\r\n");
/** The end of a response without a length. */
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

export interface Connection {
  /** Sends a request and resolves to the status of its response. One at a time. */
  send(request: Buffer): Promise<number>;
  /** False after the server has closed an idle connection. */
  readonly isOpen: boolean;
  close(): void;
}

export async function openConnection(port: number): Promise<Connection> {
  const socket = await connected(port);
  let pending: {
    readonly resolve: (status: number) => void;
    readonly reject: (error: Error) => void;
  } | null = null;
  let read: Buffer = Buffer.alloc(0);

  socket.on("data", (chunk: Buffer) => {
    read = read.byteLength === 0 ? chunk : Buffer.concat([read, chunk]);
    const head = read.indexOf(HEAD_ENDS);
    if (head < 0) return;
    const text = read.toString("latin1", 0, head);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    const isWhole =
      length === undefined
        ? read.subarray(-LAST_CHUNK.byteLength).equals(LAST_CHUNK)
        : read.byteLength >= head + HEAD_ENDS.byteLength + Number(length);
    if (!isWhole) return;
    read = Buffer.alloc(0);
    const answered = pending;
    pending = null;
    answered?.resolve(Number(text.slice(9, 12)));
  });
  const end = (error: Error) => {
    pending?.reject(error);
    pending = null;
  };
  socket.on("error", end);
  socket.on("close", () => {
    end(new Error("the server closed the connection"));
  });
  return {
    get isOpen() {
      return socket.writable;
    },
    send: (request) =>
      new Promise((resolve, reject) => {
        pending = { resolve, reject };
        if (socket.writable) socket.write(request);
        else end(new Error("the server has closed the connection"));
      }),
    close() {
      socket.destroy();
    },
  };
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
