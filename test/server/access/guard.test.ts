/** Without a token this machine may use the API, and pages of its own server. */
import { describe, expect, it } from "vitest";
import { type Caller, networkOf } from "../../../src/server/access/caller.ts";
import { refuseElsewhere } from "../../../src/server/access/guard.ts";

function ask(
  method: "GET" | "POST",
  headers: Readonly<Record<string, string>> = {},
  host = "tandem.example.com",
): Request {
  return new Request(`https://${host}/api/status`, { method, headers: { host, ...headers } });
}
const HERE: Caller = { peer: "127.0.0.1", isOldProxy: false };
const statusOf = (request: Request, caller = HERE): number | null =>
  refuseElsewhere(request, caller)?.status ?? null;

describe("without a token", () => {
  it("this machine may, by any of its names, and no other", () => {
    for (const host of ["localhost:4400", "127.0.0.1:4400", "[::1]:4400"]) {
      expect(statusOf(ask("GET", {}, host))).toBe(null);
    }
    expect(statusOf(ask("GET"))).toBe(403);
  });

  it.each(["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])(
    "a peer at %s is this machine",
    (peer) => {
      const request = ask("GET", {}, "localhost:4400");
      expect(statusOf(request, { ...HERE, peer })).toBe(null);
    },
  );

  it.each(["192.0.2.7", "172.17.0.1", "::ffff:192.0.2.7", "2001:db8::1", "127.0.0.1.example", ""])(
    "a peer at %j is refused, though it asks as localhost",
    async (peer) => {
      const refusal = refuseElsewhere(ask("GET", {}, "localhost:4400"), { ...HERE, peer });
      expect(refusal?.status).toBe(403);
      expect(await refusal?.json()).toMatchObject({
        error: { code: "not_local", hint: expect.stringContaining("TANDEM_API_TOKEN") as string },
      });
    },
  );

  it.each([
    ["x-forwarded-for", "192.0.2.7"],
    ["x-forwarded-host", "localhost"],
    ["x-forwarded-proto", "https"],
    ["x-real-ip", "127.0.0.1"],
    ["forwarded", "for=127.0.0.1"],
    ["via", "1.1 proxy"],
  ])("a request that a proxy forwards is refused: %s", (name, value) => {
    expect(statusOf(ask("GET", { [name]: value }, "localhost:4400"))).toBe(403);
  });

  it("HTTP/1.0 is refused, which nginx speaks to what is behind it", () => {
    const old = { ...HERE, isOldProxy: true };
    expect(statusOf(ask("GET", {}, "localhost:4400"), old)).toBe(403);
  });

  it.each([
    ["the peer", { ...HERE, peer: "192.0.2.7" }, {}, "localhost:4400", "came from 192.0.2.7"],
    ["the proxy", HERE, { via: "1.1 proxy" }, "localhost:4400", "(header via)"],
    ["its version", { ...HERE, isOldProxy: true }, {}, "localhost:4400", "HTTP/1.0"],
    ["its host", HERE, {}, "tandem.example.com", "named the host tandem.example.com"],
  ] as const)("the answer names the cause: %s", async (_, caller, headers, host, cause) => {
    const refusal = refuseElsewhere(ask("GET", headers, host), caller);
    expect(await refusal?.json()).toMatchObject({
      error: { message: expect.stringContaining(cause) as string },
    });
  });

  it("a request without a known peer is refused, and the answer names the ways in", async () => {
    const refusal = refuseElsewhere(ask("GET", {}, "localhost:4400"), { ...HERE, peer: null });
    expect(refusal?.status).toBe(403);
    expect(await refusal?.json()).toEqual({
      error: {
        code: "not_local",
        message: "the origin of the request is unknown",
        hint: expect.stringMatching(/`apiToken`, or with `authorize`/) as string,
      },
    });
  });

  it("a page from elsewhere changes nothing", () => {
    const foreign = { origin: "https://elsewhere.example" };
    expect(statusOf(ask("POST", foreign, "localhost:4400"))).toBe(403);
    const own = { origin: "http://localhost:4400" };
    expect(statusOf(ask("POST", own, "localhost:4400"))).toBe(null);
  });
});

describe("the network of a peer", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:DB8:1:2::9", "2001:db8:1:2"],
    ["2001:db8::9", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["command line", "command line"],
  ])("%s counts as %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
