/**
 * The receiver over real HTTP.
 *
 * 1. Every request is answered, below 500, and a refusal says what is wrong and what to do about it.
 * 2. A request without a valid signature stores nothing and changes nothing.
 * 3. A signed one is stored, whatever it says, and ends: translated, irrelevant, or failed with its cause.
 * 4. The process lives, `/healthz` answers, and a valid webhook still comes through.
 */
import { createHmac } from "node:crypto";
import { Agent, request } from "node:http";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { TEST_SECRET } from "../../src/testing/test-tandem.ts";
import { expand, mutated, ODD_TEXTS, oddText, textOf } from "./junk.ts";
import { payloads, recordedPayloads } from "./payloads.ts";
import { drain, type FuzzDatabase, type FuzzSite, openFuzzSite, proveOpen } from "./site.ts";
import { type Bench, type FuzzTarget, fuzzTarget, must } from "./target.ts";

/** After so many, the site is opened again: stored deliveries would make each look slower. */
const INPUTS_A_SITE = 400;
const PROOF_EVERY = 20;
/** The repository of the site; the number is known once it is open. */
const OURS = -1;

interface OddRequest {
  readonly event: string;
  readonly document: unknown;
  readonly left: number;
  readonly path: string;
  readonly method: string;
  readonly signature: (typeof SIGNATURES)[number];
  readonly type: string | null;
  readonly encoding: "gzip" | "identity" | "br" | null;
  readonly key: string | null;
  readonly doubled: string | null;
  readonly chunked: boolean;
}

const SIGNATURES = [
  ...(["valid", "valid", "valid", "valid", "valid", "upper case", "spaced"] as const),
  ...([
    "missing",
    "empty",
    "other secret",
    "other body",
    "sha1",
    "cut",
    "doubled",
    "zeros",
  ] as const),
] as const;
const SIGNED: ReadonlySet<string> = new Set(["valid", "upper case", "spaced"]);

const rarely = <Value>(usual: Value, odd: fc.Arbitrary<Value>, weight = 1) =>
  fc.oneof({ weight: 20, arbitrary: fc.constant(usual) }, { weight, arbitrary: odd });
const headerText = oddText
  .map(expand)
  .filter((text) => /^[\t\x20-\x7e\x80-\xff]*$/.test(text) && text.length < 12_000);

const requests: fc.Arbitrary<OddRequest> = fc
  .oneof(
    { weight: 5, arbitrary: payloads([OURS, OURS, OURS, 99]) },
    { weight: 1, arbitrary: recordedPayloads() },
  )
  .chain(({ event, document }) =>
    fc.record({
      event: rarely(event, fc.oneof(headerText, fc.constantFrom("issues", "ping", "ISSUES"))),
      document: mutated(fc.constant(document)),
      left: rarely(1_000, fc.nat(1_000)),
      path: rarely(
        "/webhooks/github",
        fc.constantFrom(
          "/webhooks/",
          "/webhooks/__proto__",
          "/webhooks/git%00hub",
          "/webhooks/%E0%A4%A",
          "/webhooks/github/",
          "/webhooks/github?x=1",
        ),
      ),
      method: rarely("POST", fc.constantFrom("GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH")),
      signature: fc.constantFrom(...SIGNATURES),
      type: rarely<string | null>(
        "application/json",
        fc.constantFrom(
          null,
          "",
          "text/plain",
          "application/x-www-form-urlencoded",
          "application/json; charset=utf-16",
          "APPLICATION/JSON",
          "application/json, text/html",
          "multipart/form-data; boundary=x",
        ),
        3,
      ),
      encoding: rarely<OddRequest["encoding"]>(null, fc.constantFrom("gzip", "identity", "br"), 2),
      key: rarely<string | null>("", fc.oneof(headerText, fc.constant(null)), 3),
      doubled: rarely<string | null>(
        null,
        fc.constantFrom(
          "content-type",
          "x-github-event",
          "x-github-delivery",
          "x-hub-signature-256",
        ),
        2,
      ),
      chunked: fc.boolean(),
    }),
  );

export const receiverInMemory = receiver("memory", 0.15);
export const receiverOnPglite = receiver("pglite", 0.02);

function receiver(database: FuzzDatabase, share: number): FuzzTarget {
  return fuzzTarget({
    name: `receiver, ${database}`,
    share,
    inputs: requests,
    open: () => openReceiver(database),
  });
}

async function openReceiver(database: FuzzDatabase): Promise<Bench<OddRequest>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let site: FuzzSite | null = null;
  let count = 0;
  let seen = new Set<string>();
  let broken = false;
  async function reopen(): Promise<FuzzSite> {
    await site?.close();
    seen = new Set();
    broken = false;
    // Every other one takes in at once what is received.
    site = await openFuzzSite(database, Math.floor(count / INPUTS_A_SITE) % 2 === 0);
    return site;
  }
  return {
    async check(input) {
      // After a failure each shorter input is tried on a site that nothing has happened to.
      const isNew = site === null || broken || count % INPUTS_A_SITE === 0;
      const open = isNew ? await reopen() : site;
      if (open === null) throw new Error("the site is not open");
      count += 1;
      broken = true;
      await checkRequest(open, agent, input, count, seen);
      if (count % PROOF_EVERY === 0) await proveOpen(open, count);
      broken = false;
    },
    async close() {
      agent.destroy();
      await site?.close();
    },
  };
}

async function checkRequest(
  site: FuzzSite,
  agent: Agent,
  input: OddRequest,
  count: number,
  seen: Set<string>,
): Promise<void> {
  const isSigned = SIGNED.has(input.signature) && input.doubled !== "x-hub-signature-256";
  const before = isSigned ? "" : await site.state();
  const answer = await send(site, agent, input, count);
  must(answer.status < 500, () => `answered ${String(answer.status)}: ${answer.text}`);
  if (input.method === "POST" && answer.status >= 400) mustExplain(answer);
  if (answer.status !== 202)
    must(
      answer.status >= 300 || input.method !== "POST",
      () => `answered ${String(answer.status)}`,
    );
  if (!isSigned) {
    must(answer.status !== 202, () => "a webhook without a valid signature was taken");
    must(
      (await site.state()) === before,
      () => "a webhook without a valid signature changed something",
    );
  } else if (answer.status === 202) {
    await drain(site, seen);
  }
  if (count % PROOF_EVERY === 0) {
    const health = await fetch(`${site.server.url}/healthz`);
    must(health.status === 200, () => `/healthz answered ${String(health.status)}`);
  }
}

function mustExplain({ status, text }: Answered): void {
  const body: unknown = JSON.parse(text);
  const error: unknown =
    typeof body === "object" && body !== null && "error" in body ? body.error : null;
  const names = ["code", "message", "hint"];
  const parts = typeof error === "object" && error !== null ? Object.entries(error) : [];
  const said = parts.filter(
    ([name, value]) => names.includes(name) && typeof value === "string" && value !== "",
  );
  must(said.length === names.length, () => `${String(status)} without cause or remedy: ${text}`);
}

interface Answered {
  readonly status: number;
  readonly text: string;
}

function send(site: FuzzSite, agent: Agent, input: OddRequest, count: number): Promise<Answered> {
  const text = textOf(input.document).replaceAll(String(OURS), String(site.repository));
  const plain = Buffer.from(text.slice(0, Math.ceil((text.length * input.left) / 1_000)));
  const body = input.encoding === "gzip" ? gzipSync(plain) : plain;
  const headers: (readonly [string, string])[] = [["x-github-event", input.event]];
  if (input.type !== null) headers.push(["content-type", input.type]);
  if (input.encoding !== null) headers.push(["content-encoding", input.encoding]);
  if (input.key !== null) {
    headers.push(["x-github-delivery", input.key === "" ? `fuzz-${String(count)}` : input.key]);
  }
  headers.push(...signatures(input.signature, body));
  if (input.doubled !== null) headers.push([input.doubled, ODD_TEXTS.at(-1) ?? ""]);
  if (!input.chunked) headers.push(["content-length", String(body.byteLength)]);
  else headers.push(["transfer-encoding", "chunked"]);
  const { hostname, port } = new URL(site.server.url);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ hostname, port, agent, path: input.path, method: input.method },
        headers: [["host", hostname] as const, ...headers].flat(),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

function signatures(kind: OddRequest["signature"], body: Buffer): (readonly [string, string])[] {
  const name = "x-hub-signature-256";
  const sign = (secret: string, signed: Buffer | string, by = "sha256") =>
    createHmac(by, secret).update(signed).digest("hex");
  const valid = sign(TEST_SECRET, body);
  switch (kind) {
    case "valid":
      return [[name, `sha256=${valid}`]];
    case "upper case":
      return [[name, `SHA256=${valid.toUpperCase()}`]];
    case "spaced":
      return [[name, ` sha256=${valid} `]];
    case "missing":
      return [];
    case "empty":
      return [[name, ""]];
    case "other secret":
      return [[name, `sha256=${sign("guessed", body)}`]];
    case "other body":
      return [[name, `sha256=${sign(TEST_SECRET, `${body.toString()} `)}`]];
    case "sha1":
      return [[name, `sha1=${sign(TEST_SECRET, body, "sha1")}`]];
    case "cut":
      return [[name, `sha256=${valid.slice(0, 40)}`]];
    case "doubled":
      return [
        [name, `sha256=${valid}`],
        [name, `sha256=${valid}`],
      ];
    case "zeros":
      return [[name, `sha256=${"0".repeat(64)}`]];
  }
}
