/** The proxy's faults are those that it names: else tests behind it show nothing. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type FaultProxy, openFaultProxy } from "./fault-proxy.ts";

let server: Server;
let proxy: FaultProxy;
const served = new Set<Socket>();

beforeEach(async () => {
  server = createServer((socket) => {
    served.add(socket);
    socket.on("error", () => undefined).on("close", () => served.delete(socket));
    socket.on("data", (bytes: Buffer) => socket.write(`${bytes.toString()}!`));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await openFaultProxy((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await proxy.close();
  server.close();
});

/** A client that keeps what it hears. */
async function openClient() {
  const socket = connect(proxy.port, "127.0.0.1");
  const heard: string[] = [];
  let end = "";
  socket.on("data", (bytes: Buffer) => heard.push(bytes.toString()));
  socket.on("error", (error) => (end = (error as NodeJS.ErrnoException).code ?? "error"));
  await once(socket, "connect");
  return { socket, text: () => heard.join(""), end: () => end };
}

it("passes what is said, later where it is slow", async () => {
  const client = await openClient();
  client.socket.write("a");
  await expect.poll(client.text).toBe("a!");
  proxy.slowDown(20);
  client.socket.write("b");
  await expect.poll(client.text).toBe("a!b!");
});

it("is silent to old and new connections, and passes what it held once it heals", async () => {
  const old = await openClient();
  old.socket.write("a");
  await expect.poll(old.text).toBe("a!");
  proxy.silence();
  old.socket.write("b");
  const young = await openClient();
  young.socket.write("c");
  const left = await openClient();
  left.socket.destroy();
  await expect.poll(() => proxy.connections()).toBe(2);
  expect([old.text(), young.text()]).toEqual(["a!", ""]);
  proxy.heal();
  await expect.poll(old.text).toBe("a!b!");
  await expect.poll(young.text).toBe("c!");
});

it("forgets connections: they stay silent, the server keeps its end, and new ones pass", async () => {
  const old = await openClient();
  old.socket.write("a");
  await expect.poll(old.text).toBe("a!");
  proxy.silence();
  proxy.forget();
  old.socket.write("b");
  const young = await openClient();
  young.socket.write("c");
  await expect.poll(young.text).toBe("c!");
  expect([old.text(), old.end(), served.size]).toEqual(["a!", "", 2]);
});

it("resets connections, and refuses new ones until it heals", async () => {
  const old = await openClient();
  old.socket.write("a");
  await expect.poll(old.text).toBe("a!");
  proxy.refuse();
  await expect.poll(old.end).toBe("ECONNRESET");
  const refused = connect(proxy.port, "127.0.0.1").on("error", () => undefined);
  await expect.poll(() => refused.closed).toBe(true);
  proxy.heal();
  const young = await openClient();
  young.socket.write("c");
  await expect.poll(young.text).toBe("c!");
});
