/** Mutants of what the provider is asked for because its webhooks were lost (design, section 7). */
import type { CodeMutant } from "./mutant.ts";

const access = "src/engine/limits/access.ts";
const asksAccess = "src/runtime/receive/check-access.ts";
const installations = ["test/situations/receive/installations.test.ts"];
const redelivery = "src/engine/limits/redelivery.ts";
const killedBy = ["test/engine/limits/redelivery.test.ts"];

export const redelivering: readonly CodeMutant[] = [
  {
    id: "redelivery-arrived",
    rule: "A webhook that a later attempt brought is not asked for",
    file: redelivery,
    find: "...attempts.filter(({ succeeded }) => succeeded).map(({ deliveryKey }) => deliveryKey),",
    replace: "",
    killedBy,
  },
  {
    id: "redelivery-received",
    rule: "A webhook that the ledger holds is not asked for, whatever the provider believes",
    file: redelivery,
    find: "    ...received,\n",
    replace: "",
    killedBy,
  },
  {
    id: "redelivery-came",
    rule: "A webhook that came while it waited to be asked for again is not asked for",
    file: redelivery,
    find: "due.filter(({ deliveryKey }) => !received.has(deliveryKey))",
    replace: "due.filter(() => true)",
    killedBy,
  },
  {
    id: "redelivery-pages",
    rule: "A turn reads of what was missed what it asks for, however much there is",
    file: "src/store/postgres/deliveries/redelivery-rows.ts",
    find: "         order by run_at, delivery_key\n",
    replace: "         order by failed_at, delivery_key\n",
    killedBy: ["test/store/claim-cost.test.ts"],
  },
  {
    id: "redelivery-goes-on",
    rule: "Missed deliveries that are over hold up none that must be requested again",
    file: "src/runtime/receive/redelivery.ts",
    find: "if (choice.ask.length > 0 || due.length < DUE_PAGE) {",
    replace: "if (due.length >= 0) {",
    killedBy: ["test/situations/receive/redelivery.test.ts"],
  },
  {
    id: "redelivery-bounded",
    rule: "A webhook is asked for a bounded number of times",
    file: redelivery,
    find: "asks >= MOST_ASKS || now",
    replace: "now",
    killedBy: ["test/situations/receive/redelivery.test.ts"],
  },
  {
    id: "redelivery-counts-on",
    rule: "A reading that overlaps the last one forgets no ask",
    file: redelivery,
    find: "if (known === undefined) {",
    replace: "if (known !== null) {",
    killedBy,
  },
  {
    id: "redelivery-noted",
    rule: "An ask is noted before it leaves, so that a crash asks no more",
    file: "src/runtime/receive/redelivery.ts",
    find: "    await redeliveries.save(logId, [noteAsk(missed, now)]);\n",
    replace: "",
    killedBy: ["test/situations/receive/redelivery.test.ts"],
  },
  {
    id: "access-hourly",
    rule: "Whether an installation is suspended still is asked once an hour",
    file: access,
    find: "return askedAt === null || addMillis(askedAt, ASK_AGAIN_MS) <= now;",
    replace: "return askedAt === null || askedAt <= now;",
    killedBy: installations,
  },
  {
    id: "access-person",
    rule: "The access check skips a connection that a person paused",
    file: access,
    find: "  if (endedBy(connection) === null) return false;\n",
    replace: "",
    killedBy: installations,
  },
  {
    id: "access-noted",
    rule: "That it was asked is noted before it is, so a provider that fails is not asked more often",
    file: asksAccess,
    find: "      await directory.updateConnection(connection.id, { accessAskedAt: now });\n",
    replace: "",
    killedBy: installations,
  },
  {
    id: "access-suspended",
    rule: "An installation that is suspended still stays off",
    file: asksAccess,
    find: '  if ((await client.state(signal)) !== "active") return 0;\n',
    replace: "",
    killedBy: installations,
  },
  {
    id: "access-included",
    rule: "A repository that was taken from an installation stays off until it was given back",
    file: asksAccess,
    find: " || !(await client.includes(containerId, signal))",
    replace: "",
    killedBy: installations,
  },
  {
    id: "access-at-once",
    rule: "News that switches a connection off is looked into at once, for it may come late",
    file: "src/runtime/receive/follow-containers.ts",
    find: "          accessAskedAt: null,\n",
    replace: "",
    killedBy: installations,
  },
];
