/** Every store's duties for creates that no token identifies, and for lanes that have ended. */
import { beforeEach, describe, expect, it } from "vitest";
import type { TandemEvent } from "../../src/model/event.ts";
import type { LaneId } from "../../src/model/ids.ts";
import type { Instant } from "../../src/model/instant.ts";
import type { Lane } from "../../src/model/lane.ts";
import { recordDeleted } from "../../src/model/tombstone.ts";
import type { LaneQuery } from "../../src/store/store.ts";
import {
  aConnection,
  after,
  anId,
  aQueued,
  decide,
  issueKey,
  laneOf,
  type OpenedStore,
  present,
  readLane,
} from "./opened-store.ts";

type OpenCreates = Extract<LaneQuery, { readonly kind: "open_creates" }>;

export function intentsConformance(open: () => Promise<OpenedStore>): void {
  let opened: OpenedStore;

  /** The lane of a record that has no resource yet. */
  async function unbound(recordId: string, resourceType = "issue"): Promise<LaneId> {
    const key = { ...issueKey(opened.connection, ""), externalId: null, recordId, resourceType };
    const [id] = await opened.store.transaction((tx) => tx.ensureLanes([key]));
    return present(id);
  }
  /** The lanes of open creates in short: their ids, with those that have stalled marked. */
  const openCreates = (
    where: Partial<Pick<OpenCreates, "connectionId" | "resourceType" | "withToken">>,
    /** How long after now they may have begun, to have stalled. */
    seconds = 60,
  ) =>
    opened.store.transaction(async (tx) => {
      const found = await tx.findLanes({
        kind: "open_creates",
        connectionId: opened.connection,
        resourceType: "issue",
        withToken: false,
        ...where,
        stalledSince: after(tx.now, seconds),
      });
      return found.map(({ id, stalled }) => (stalled ? `${id} stalled` : id));
    });
  const intent = (token: string, tokenless: boolean) => (_: Lane, now: Instant) => ({
    intent: { token, since: now, tokenless },
  });

  describe("creates that no token tells", () => {
    beforeEach(async () => {
      opened = await open();
    });

    it("are found while they have no resource, by connection and type", async () => {
      const { store } = opened;
      const elsewhere = await aConnection(store, "another");
      const first = await unbound("1");
      const second = await unbound("2");
      await decide(store, second, intent("b", true));
      await decide(store, first, intent("a", true));
      await decide(store, await unbound("3"), intent("c", false));
      await decide(store, await unbound("4", "issue_comment"), intent("d", true));
      await decide(store, await laneOf(opened, "5"), intent("e", true));

      const found = () => openCreates({}, -60);
      expect(await found()).toEqual([first, second]);
      expect(await openCreates({ resourceType: "issue_comment" })).toHaveLength(1);
      expect(await openCreates({ connectionId: elsewhere })).toEqual([]);

      await decide(store, first, () => ({ externalId: "6" }));
      expect(await found()).toEqual([second]);
    });

    it("have stalled where they are old, and only an error is left to settle them", async () => {
      const { store } = opened;
      const openWith = async (recordId: string, ...live: readonly Partial<TandemEvent>[]) => {
        const id = await unbound(recordId);
        await decide(store, id, (lane, now) => ({
          intent: { token: recordId, since: now, tokenless: true },
          live: live.map((event) => aQueued(lane, now, event)),
        }));
        return id;
      };
      const failed = { direction: "outbound", state: "errored" } as const;
      const unattended = await openWith("1");
      const errored = await openWith("2", failed, { direction: "inbound" });
      const queued = await openWith("3", failed, { direction: "outbound" });

      const open = [unattended, errored, queued];
      expect(await openCreates({})).toEqual([
        `${unattended} stalled`,
        `${errored} stalled`,
        queued,
      ]);
      expect(await openCreates({}, -60)).toEqual(open);
    });

    it("are found though they left with a token, while something is left to settle them", async () => {
      const { store } = opened;
      const openWith = async (recordId: string, ...live: readonly Partial<TandemEvent>[]) => {
        const id = await unbound(recordId);
        await decide(store, id, (lane, now) => {
          const posted = { at: now, authors: [], byAuthor: null };
          return {
            intent: {
              token: recordId,
              since: now,
              tokenless: false,
              posted: { ...posted, account },
            },
            live: live.map((event) => aQueued(lane, now, event)),
          };
        });
        return id;
      };
      const account = { times: 1, said: [], made: [] };
      const failed = { direction: "outbound", state: "errored" } as const;
      await openWith("1");
      await openWith("2", { direction: "inbound" });
      const errored = await openWith("3", failed, { direction: "inbound" });
      const queued = await openWith("4", failed, { direction: "outbound" });
      const bound = await openWith("5", { direction: "outbound" });
      await decide(store, bound, () => ({ externalId: "6" }));
      const refused = await openWith("7", { direction: "outbound" });
      await decide(store, refused, intent("7", false));

      expect(await openCreates({ withToken: true })).toEqual([`${errored} stalled`, queued]);
      expect(await openCreates({ withToken: true }, -60)).toEqual([errored, queued]);
      expect(await openCreates({ withToken: true, resourceType: "issue_comment" })).toEqual([]);
      expect(await openCreates({ withToken: false })).toEqual([]);
      await store.transaction(async (tx) => {
        const found = await tx.findLanes({
          kind: "open_creates",
          connectionId: opened.connection,
          resourceType: "issue",
          withToken: true,
          stalledSince: tx.now,
        });
        expect(found.map(({ intent: sent }) => sent.posted)).toMatchObject([
          { account, authors: [] },
          { account, authors: [] },
        ]);
      });
    });

    it("are found once each, in the order of their ids, if some left with a token", async () => {
      const { store } = opened;
      const openWith = async (recordId: string, tokenless: boolean) => {
        const id = await unbound(recordId);
        await decide(store, id, (lane, now) => {
          const account = { times: 1, said: [], made: [] };
          const posted = { at: now, account, authors: [], byAuthor: null };
          return {
            intent: { token: recordId, since: now, tokenless, posted },
            live: [aQueued(lane, now, { direction: "outbound" })],
          };
        });
        return id;
      };
      const marked = await openWith("1", false);
      const unmarked = await openWith("2", true);
      const last = await openWith("3", false);
      expect(await openCreates({ withToken: true })).toEqual([marked, unmarked, last]);
      expect(await openCreates({ withToken: false })).toEqual([unmarked]);
    });

    it("are known by their token for resources of their own type only", async () => {
      const { store, connection } = opened;
      const id = await unbound("1");
      await decide(store, id, intent("t0ken", false));
      await store.transaction(async (tx) => {
        expect(
          await tx.findLanes({
            kind: "of_tokens",
            connectionId: connection,
            resourceType: "issue",
            tokens: ["t0ken"],
          }),
        ).toMatchObject([{ id }]);
        expect(
          await tx.findLanes({
            kind: "of_tokens",
            connectionId: connection,
            resourceType: "issue_comment",
            tokens: ["t0ken"],
          }),
        ).toEqual([]);
      });
    });

    it("are found where they left, also when their resource was transferred from there", async () => {
      const { store, connection } = opened;
      const elsewhere = await aConnection(store, "another");
      const third = await aConnection(store, "a third");
      const id = await unbound("1");
      await decide(store, id, intent("t0ken", false));
      await decide(store, id, ({ intent: opened }) => ({
        connectionId: elsewhere,
        externalId: "7",
        intent: opened === null ? null : { ...opened, leftFrom: connection },
      }));
      await store.transaction(async (tx) => {
        const found = { id, connectionId: elsewhere, externalId: "7", recordId: "1" };
        for (const one of [connection, elsewhere]) {
          expect(
            await tx.findLanes({
              kind: "of_tokens",
              connectionId: one,
              resourceType: "issue",
              tokens: ["t0ken"],
            }),
          ).toMatchObject([found]);
        }
        expect(
          await tx.findLanes({
            kind: "of_tokens",
            connectionId: third,
            resourceType: "issue",
            tokens: ["t0ken"],
          }),
        ).toEqual([]);
        const [lane] = await tx.lockLanes([id]);
        expect(lane?.intent?.leftFrom).toBe(connection);
      });
    });

    it("keep what has left for them, and tell it with their token", async () => {
      const { store, connection } = opened;
      const id = await unbound("1");
      const mona = { id: "9007199254740993", login: "mona" };
      const authors = [{ ...mona, times: 2, said: ["s"], made: ["7"] }];
      const now = await store.transaction((tx) => Promise.resolve(tx.now));
      const account = { times: 2, said: ["s"], made: ["8"] };
      const posted = { at: now, from: now, account, authors, byAuthor: mona.id };
      await decide(store, id, () => ({
        intent: { token: "t0ken", since: now, tokenless: false, posted },
      }));
      await store.transaction(async (tx) => {
        const [lane] = await tx.lockLanes([id]);
        expect(lane?.intent?.posted).toEqual(posted);
        expect(
          await tx.findLanes({
            kind: "of_tokens",
            connectionId: connection,
            resourceType: "issue",
            tokens: ["t0ken"],
          }),
        ).toMatchObject([{ id, externalId: null, recordId: "1", intent: lane?.intent }]);
      });
      await decide(store, id, () => ({ intent: { token: "t0ken", since: now, tokenless: false } }));
      const [lane] = await store.transaction((tx) => tx.lockLanes([id]));
      expect(lane?.intent).not.toHaveProperty("posted");
    });

    it("take over the lane that their resource had meanwhile, with what is live in it", async () => {
      const { store } = opened;
      const id = await unbound("1");
      const waiting = await laneOf(opened, "9");
      await decide(store, waiting, (lane, now) => ({
        live: [aQueued(lane, now, { reason: "awaiting_intent" })],
        ended: [{ ...aQueued(lane, now), state: "canceled", finishedAt: now }],
      }));

      await store.transaction(async (tx) => {
        const [mine, other] = await tx.lockLanes([id, waiting]);
        const [before, from] = [present(mine), present(other)];
        await tx.removeLane(from.id);
        const live = from.live.map((event) => ({ ...event, laneId: id }));
        const lane = { ...before, externalId: "9", live };
        await tx.saveLanes([{ before, after: { lane, ended: [] } }]);
      });

      expect(await readLane(store, id)).toMatchObject({
        externalId: "9",
        live: [{ laneId: id, reason: "awaiting_intent" }],
      });
      expect(await laneOf(opened, "9")).toBe(id);
      expect(await store.transaction((tx) => tx.lockLanes([waiting]))).toEqual([]);
      const ended = await store.ledger.events({ laneId: waiting, limit: 10 });
      expect(ended).toMatchObject([{ state: "canceled" }]);
    });

    it("wake what waits for them, and nothing else", async () => {
      const { store, connection } = opened;
      const wait = async (externalId: string, reason: "awaiting_intent" | "retry") =>
        decide(store, await laneOf(opened, externalId), (lane, now) => ({
          live: [aQueued(lane, now, { runAt: after(now, 60), reason })],
        }));
      await wait("waiting", "awaiting_intent");
      await wait("patient", "retry");
      const due = () =>
        store.transaction(async (tx) =>
          (await tx.lockDueLanes(10)).map(({ externalId }) => externalId),
        );
      await store.transaction((tx) => tx.wakeAwaitingIntent(connection, "issue_comment"));
      expect(await due()).toEqual([]);
      await store.transaction((tx) => tx.wakeAwaitingIntent(connection, "issue"));
      expect(await due()).toEqual(["waiting"]);
    });
  });

  describe("lanes that have ended", () => {
    it("are found by their record, who ended first first, with how they ended", async () => {
      opened = await open();
      const { store, connection } = opened;
      const ended: LaneId[] = [];
      const expected: Partial<Lane>[] = [];
      const from = { connection, externalId: "9" };
      for (const [how, moved] of [
        [{ record: "deleted", resource: "present" }, null],
        [{ record: "present", resource: "deleted" }, null],
        [{ record: "to_connection", resource: "present" }, null],
        [{ record: "present", resource: "deleted" }, from],
        [{ record: "present", resource: { outOfReach: "11/7" } }, from],
        [{ record: "out_of_scope", resource: "deleted" }, from],
        [{ record: "deleted", resource: "present" }, from],
        [{ record: "present", resource: { movedOn: from } }, null],
      ] as const) {
        const id = await unbound("7");
        await decide(store, id, (_, now) => {
          const end = { tombstone: { event: anId(), at: now, ...how }, moved };
          expected.push({ id, recordId: "7", ...end });
          return end;
        });
        ended.push(id);
      }
      await unbound("7");
      const found = await store.transaction((tx) =>
        tx.findLanes({ kind: "ended_of_records", recordType: "tasks", recordIds: ["7", "8"] }),
      );
      expect(found).toMatchObject(expected);
      expect(found).toHaveLength(expected.length);
      const oldest = present(ended[0]);
      await decide(store, oldest, (_, now) => ({
        tombstone: recordDeleted(anId(), after(now, 1)),
      }));
      const later = await store.transaction((tx) =>
        tx.findLanes({ kind: "ended_of_records", recordType: "tasks", recordIds: ["7"] }),
      );
      expect(later.map(({ id }) => id)).toEqual([...ended.slice(1), oldest]);
    });
  });
}
