/** Mutants of what keeps one tenant, or a stranger, from what is another's (docs/security.md). */
import type { CodeMutant } from "./mutant.ts";

const tenants = ["test/situations/tenants.test.ts"];
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
];
