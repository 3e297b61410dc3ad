/** Deliveries that are stored together: what each is told, and when, whatever becomes of the others. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DeliveryId, deliveryId } from "../../../src/model/ids.ts";
import {
  receiveInBatches,
  ReceiverFullError,
} from "../../../src/runtime/receive/receive-batches.ts";
import type { DeliveryStore } from "../../../src/store/deliveries.ts";

type Received = Parameters<DeliveryStore["receive"]>[0][number];

const LIMITS = { statements: 2, deliveries: 4, characters: 40, waiting: 1_000 };

function aDelivery(key: string, payload = "{}"): Received {
  const sent = { integration: "github", event: "issues", payload, verifiedBy: null };
  return { ...sent, id: deliveryId(key), deliveryKey: key };
}

/** A refusal by the database, as a driver tells of it. */
function refusal(code: string): Error {
  return Object.assign(new Error(`refused with ${code}`), { code });
}

/** A database that records its batches, answers only when told to, and refuses a batch whole. */
function aDatabase(refuses: (delivery: Received) => string | null = () => null) {
  const committed = new Set<DeliveryId>();
  const statements: (readonly Received[])[] = [];
  const pending: (() => void)[] = [];
  let most = 0;
  const receive: DeliveryStore["receive"] = (deliveries) =>
    new Promise((resolve, reject) => {
      statements.push(deliveries);
      pending.push(() => {
        const code = deliveries.map(refuses).find((one) => one !== null) ?? null;
        if (code !== null) {
          reject(refusal(code));
          return;
        }
        for (const { id } of deliveries) committed.add(id);
        resolve(deliveries.map(({ id }) => ({ id, seenBefore: false, verifiedBy: null })));
      });
      most = Math.max(most, pending.length);
    });
  return {
    ...{ receive, committed, statements },
    /** The most statements that were on their way at once. */
    most: () => most,
    /** Lets one of the statements end; `false` where none is on its way. */
    async answer(which = 0): Promise<boolean> {
      const [one] = pending.splice(which % Math.max(1, pending.length), 1);
      one?.();
      await settled();
      return one !== undefined;
    },
  };
}

/** All that follows from what has happened has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("deliveries that are stored together", () => {
  it("law: each is told its own outcome, and success only once it is committed", async () => {
    const arrival = fc.record({ bad: fc.boolean(), size: fc.integer({ min: 1, max: 60 }) });
    const step = fc.oneof(arrival, fc.constantFrom(0, 1));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const database = aDatabase(({ event }) => (event === "bad" ? "23514" : null));
        const store = receiveInBatches(database.receive, { ...LIMITS, waiting: Infinity });
        const told = new Map<string, "stored" | "refused">();
        const given: Received[] = [];
        for (const each of steps) {
          if (typeof each === "number") {
            await database.answer(each);
            continue;
          }
          const delivery = {
            ...aDelivery(String(given.length), "x".repeat(each.size)),
            event: each.bad ? "bad" : "issues",
          };
          given.push(delivery);
          store(delivery).then(
            ({ id }) => {
              expect(id).toBe(delivery.id);
              expect(database.committed).toContain(id);
              told.set(id, "stored");
            },
            () => told.set(delivery.id, "refused"),
          );
        }
        while (await database.answer());

        const expected = given.map(({ id, event }) => [id, event === "bad" ? "refused" : "stored"]);
        expect([...told].sort()).toEqual(expected.sort());
        expect(database.most()).toBeLessThanOrEqual(LIMITS.statements);
        for (const statement of database.statements) {
          const characters = statement.reduce((sum, { payload }) => sum + payload.length, 0);
          expect(statement.length).toBeLessThanOrEqual(LIMITS.deliveries);
          expect(statement.length === 1 || characters <= LIMITS.characters).toBe(true);
        }
      }),
    );
  });

  it("one that comes alone is stored at once, and those that come meanwhile by one statement", async () => {
    const database = aDatabase();
    const store = receiveInBatches(database.receive, { ...LIMITS, statements: 1 });
    const answers = ["first", "second", "third"].map((key) => store(aDelivery(key)));
    expect(database.statements.map((batch) => batch.length)).toEqual([1]);
    await database.answer();
    expect(database.statements.map((batch) => batch.length)).toEqual([1, 2]);
    await database.answer();
    expect((await Promise.all(answers)).map(({ id }) => id)).toEqual(["first", "second", "third"]);
  });

  it.each([
    ["as many as one statement may have", [1, 1, 1, 1, 1], [4, 1]],
    ["as many characters as one statement may have", [20, 20, 1], [2, 1]],
    ["more characters than that alone", [41, 1, 39], [1, 2]],
  ])("are, of those that come meanwhile, %s", async (_how, sizes, batches) => {
    const database = aDatabase();
    const store = receiveInBatches(database.receive, { ...LIMITS, statements: 1 });
    const answers = [store(aDelivery("first"))].concat(
      sizes.map((size, index) => store(aDelivery(String(index), "x".repeat(size)))),
    );
    while (await database.answer());
    expect(database.statements.map((batch) => batch.length)).toEqual([1, ...batches]);
    expect(await Promise.all(answers)).toHaveLength(sizes.length + 1);
  });

  it("may wait up to as many characters as memory should hold, and those stored count no more", async () => {
    const database = aDatabase();
    const store = receiveInBatches(database.receive, { ...LIMITS, statements: 1, waiting: 100 });
    const answers = [store(aDelivery("on its way")), store(aDelivery("waits", "x".repeat(60)))];
    answers.push(store(aDelivery("fits", "x".repeat(40))));
    await expect(store(aDelivery("one too many", "x"))).rejects.toThrow(
      "the database stores webhooks more slowly than they arrive; too many wait to be stored",
    );
    while (await database.answer());
    await Promise.all(answers);
    const again = [store(aDelivery("again", "x".repeat(101))), store(aDelivery("and", "x"))];
    while (await database.answer());
    expect(await Promise.all(again)).toHaveLength(2);
  });

  it("a refusal of one is told to that one, and the halves of the batch are stored", async () => {
    const database = aDatabase(({ id }) => (id === "bad" ? "23514" : null));
    const store = receiveInBatches(database.receive, { ...LIMITS, statements: 1 });
    const keys = ["first", "a", "b", "bad", "c"];
    const answers = Promise.allSettled(keys.map((key) => store(aDelivery(key))));
    while (await database.answer());
    expect((await answers).map(({ status }) => status)).toEqual([
      ...["fulfilled", "fulfilled", "fulfilled", "rejected", "fulfilled"],
    ]);
    expect(database.statements.map((batch) => batch.map(({ id }) => id).join())).toEqual([
      ...["first", "a,b,bad,c", "a,b", "bad,c", "bad", "c"],
    ]);
  });

  it("a database in trouble is told to all of them, and not asked once more for each", async () => {
    const database = aDatabase(() => "53100");
    const store = receiveInBatches(database.receive, { ...LIMITS, statements: 1 });
    const answers = Promise.allSettled(["one", "two", "three"].map((key) => store(aDelivery(key))));
    while (await database.answer());
    expect(await answers).toMatchObject(
      ["one", "two", "three"].map(() => ({ status: "rejected", reason: { code: "53100" } })),
    );
    expect(database.statements).toHaveLength(2);
  });

  it("while a database stands still, no more are kept than memory should hold", async () => {
    const database = aDatabase();
    const store = receiveInBatches(database.receive, { ...LIMITS, statements: 1 });
    const first = store(aDelivery("on its way", "x".repeat(5_000)));
    const second = store(aDelivery("waits", "x".repeat(900)));
    await expect(store(aDelivery("too much", "x".repeat(200)))).rejects.toThrow(ReceiverFullError);
    const third = store(aDelivery("fits", "x".repeat(100)));
    while (await database.answer());
    expect(await Promise.all([first, second, third])).toHaveLength(3);
  });
});
