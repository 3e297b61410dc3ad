/** Asks the system for a free port of the loopback interface. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** Another process may take it in between: then whatever was to listen there does not start, and says so. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  // A server that listens on a port has an address with one.
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
