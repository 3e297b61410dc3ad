/** Mutants of what keeps one tenant, or a stranger, from what is another's (docs/security.md). */
import type { CodeMutant } from "./mutant.ts";

const tenants = ["test/situations/tenants.test.ts"];
const guarded = ["test/server/guard.test.ts"];
const callers = ["test/server/callers.test.ts"];
const readDelivery = "src/runtime/read-delivery.ts";
const receive = "src/runtime/receive.ts";

export const security: readonly CodeMutant[] = [
  {
    id: "tenant-arrivals",
    rule: "A delivery tells only the accounts whose secret signed it of resources and containers",
    file: readDelivery,
    find: "readTranslation(translation, delivery, verified, services);",
    replace: "readTranslation(translation, delivery, book, services);",
    killedBy: tenants,
  },
  {
    id: "tenant-containers",
    rule: "News of containers and installations is followed by the accounts whose secret signed it",
    file: "src/runtime/translate-deliveries.ts",
    find: "await followContainer(news, verified, services);",
    replace: "await followContainer(news, book, services);",
    killedBy: tenants,
  },
  {
    id: "tenant-moves",
    rule: "A transfer is followed within the accounts whose secret signed it",
    file: "src/runtime/translate-deliveries.ts",
    find: "await followMove(tx, known, bookOfDelivery(delivery, book), services);",
    replace: "await followMove(tx, known, book, services);",
    killedBy: tenants,
  },
  {
    id: "tenant-moves-taken-in",
    rule: "A transfer that is taken in as it comes is followed within the accounts whose secret signed it",
    file: "src/runtime/take-deliveries.ts",
    find: "await followMove(tx, known, bookOfDelivery(delivery, book), services);",
    replace: "await followMove(tx, known, book, services);",
    killedBy: tenants,
  },
  {
    id: "tenant-unkept",
    rule: "A delivery that was stored without its accounts concerns the only account, and of several none",
    file: readDelivery,
    find: "accounts.size === 1 ? [...accounts] : []",
    replace: "[...accounts]",
    killedBy: tenants,
  },
  {
    id: "tenant-key-taken",
    rule: "A delivery id that another tenant used first hides nothing",
    file: receive,
    find: "stored.seenBefore && !mayRepeat(stored, verifiedBy)",
    replace: "stored.seenBefore && stored.id === delivery.id",
    killedBy: tenants,
  },
  {
    id: "tenant-missing-secret",
    rule: "One account's missing webhook secret does not keep others from their webhooks",
    file: "src/runtime/webhook-secrets.ts",
    find: "if (!(thrown instanceof MissingSecretError)) throw thrown;",
    replace: "if (thrown !== undefined) throw thrown;",
    killedBy: tenants,
  },
  {
    id: "api-peer",
    rule: "Without a token the peer's address decides, whatever `Host` says",
    file: "src/server/guard.ts",
    find: "!isLoopback(caller)",
    replace: 'caller.peer === ""',
    killedBy: guarded,
  },
  {
    id: "api-no-peer",
    rule: "Where nothing tells the peer, the API asks for a token or the app's own check",
    file: "src/server/guard.ts",
    find: "if (caller.peer === null) {",
    replace: 'if (caller.peer === "nowhere") {',
    killedBy: guarded,
  },
  {
    id: "api-forwarded",
    rule: "Without a token nothing is answered that a proxy passes on",
    file: "src/server/guard.ts",
    find: "forwarded !== undefined",
    replace: 'forwarded === ""',
    killedBy: guarded,
  },
  {
    id: "api-http-1.0",
    rule: "Without a token HTTP/1.0 is refused, by which nginx asks",
    file: "src/server/guard.ts",
    find: "caller.isOldProxy",
    replace: 'caller.peer === ""',
    killedBy: guarded,
  },
  {
    id: "api-rebinding",
    rule: "Without a token a name that is not this machine's is refused",
    file: "src/server/guard.ts",
    find: "!LOOPBACK.test(host)",
    replace: 'host === ""',
    killedBy: guarded,
  },
  {
    id: "api-authorize-foreign",
    rule: "What the app's own check allows is still no page from elsewhere",
    file: "src/server/handler.ts",
    find: "? refuseForeignPage(request)",
    replace: "? null",
    killedBy: callers,
  },
  {
    id: "api-environment-token",
    rule: "`createTandem` honours TANDEM_API_TOKEN",
    file: "src/server/tandem.ts",
    find: "{ ...tokenOf(options), ...options }",
    replace: "options",
    killedBy: callers,
  },
  {
    id: "serve-open",
    rule: "Nothing listens beyond this machine without a token",
    file: "src/cli/serving.ts",
    find: "if (hasToken || LOOPBACK_HOST.test(host)) return;",
    replace: 'if (hasToken || host !== "") return;',
    killedBy: ["test/cli/server.test.ts"],
  },
];
