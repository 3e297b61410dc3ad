/** The statements of a save: as few as the decision needs, and none for what stays as it was. */
import { beforeEach, expect, it } from "vitest";
import type { TandemEvent } from "../../src/model/event.ts";
import type { LaneId } from "../../src/model/ids.ts";
import type { Instant } from "../../src/model/instant.ts";
import type { Lane } from "../../src/model/lane.ts";
import type { Queryable } from "../../src/store/database/database.ts";
import { type HeldLanes, lockLanes } from "../../src/store/postgres/lanes/lane-locks.ts";
import { saveLanes } from "../../src/store/postgres/lanes/lane-writes.ts";
import { reserveLanes } from "../../src/store/postgres/lanes/reserve-lanes.ts";
import { resourceRelations } from "../../src/store/rules/resource-relations.ts";
import { describeOnEachDatabase } from "../harness/databases.ts";
import {
  aQueued,
  decide,
  issueKey,
  laneOf,
  type OpenedSqlStore,
  openStore,
  present,
  readLane,
} from "./opened-store.ts";

const relations = resourceRelations([]);

type Change = (
  lane: Lane,
  now: Instant,
) => Partial<Lane> & { readonly ended?: readonly TandemEvent[] };

interface Sent {
  readonly text: string;
  readonly params: readonly unknown[];
}

describeOnEachDatabase("a save", (open) => {
  let opened: OpenedSqlStore;
  let id: LaneId;

  beforeEach(async () => {
    opened = await openStore(await open());
    id = await laneOf(opened, "1");
  });

  /** The statements that a save sends, with those of the database's own connection before it left out. */
  async function sentBy(
    change: Change,
    ids: readonly LaneId[] = [id],
    reserved: readonly string[] = [],
  ): Promise<readonly Sent[]> {
    const { database, connection } = opened;
    const sent: Sent[] = [];
    await database.transaction(async (tx) => {
      const held: HeldLanes = new Map();
      const keys = reserved.map((externalId) => issueKey(connection, externalId));
      const made = await reserveLanes(tx, held, relations, keys);
      const lanes = await lockLanes(tx, held, relations, [...ids, ...made]);
      const { rows } = await tx.query<{ now: string }>("select tandem.now() as now");
      const now = Date.parse(present(rows[0]).now) * 1_000;
      const decided = lanes.map((before) => {
        const { ended = [], ...changes } = change(before, now as Instant);
        return { before, after: { lane: { ...before, ...changes }, ended } };
      });
      const noting: Queryable = {
        client: tx.client,
        script: (text) => tx.script(text),
        query: (text, params = []) => {
          sent.push({ text: text.trim(), params });
          return tx.query(text, params);
        },
      };
      await saveLanes(noting, held, decided);
    });
    return sent;
  }
  const short = (sent: readonly Sent[]) =>
    sent.map(({ text }) => /^(?:\w+ )?(?:\w+ )?[\w._]+(?:\('?\w+)?/.exec(text)?.[0]);

  it("sends nothing if the lane stays as it was", async () => {
    expect(await sentBy(() => ({}))).toEqual([]);
    expect(await sentBy((lane) => ({ display: { ...lane.display } }))).toEqual([]);
  });

  it("writes the columns that are locked and read often, and no others, if only those differ", async () => {
    const sent = await sentBy(() => ({ recordId: "7" }));
    expect(short(sent)).toEqual(["update tandem.lanes"]);
    expect(sent[0]?.params[1]).toEqual([id]);
    expect(await readLane(opened.store, id)).toMatchObject({ recordId: "7" });
  });

  it("writes the parts of the content that differ", async () => {
    const sent = await sentBy(() => ({ display: { url: "u" } }));
    expect(short(sent)).toEqual(["update tandem.integration_records"]);
    const written = { id, display: { url: "u" }, parts: ["display"] };
    expect(JSON.parse(String(sent[0]?.params[0]))).toEqual([written]);
    expect(await readLane(opened.store, id)).toMatchObject({ display: { url: "u" } });
  });

  it("writes both in one statement, with the event that ended", async () => {
    await decide(opened.store, id, (lane, now) => ({ live: [aQueued(lane, now)] }));
    const sent = await sentBy((lane, now) => ({
      recordId: "7",
      display: { url: "u" },
      live: [],
      ended: lane.live.map((event) => ({
        ...event,
        state: "completed",
        reason: "updated_record",
        finishedAt: now,
      })),
    }));
    expect(short(sent)).toEqual(["with changed_lanes as", "delete from tandem.events_live"]);
    expect(sent[0]?.text).toContain("changed_records as (");
    expect(sent[0]?.text).toContain("ended as (");
    expect(await opened.store.ledger.events({ laneId: id, limit: 5 })).toMatchObject([
      { state: "completed" },
    ]);
  });

  it("notifies other processes of a queued event, and of no other event", async () => {
    const queued = await sentBy((lane, now) => ({ live: [aQueued(lane, now)] }));
    expect(short(queued)).toEqual([
      "insert into tandem.events_live",
      "select pg_notify('tandem_work",
    ]);
    const [started] = [await sentBy((lane) => ({ live: lane.live.map(processing) }))];
    expect(short(started)).toEqual(["update tandem.events_live"]);
    expect(started[0]?.params[1]).toEqual((await readLane(opened.store, id)).live.map((e) => e.id));
    // Its content is not sent a second time.
    expect(JSON.parse(String(started[0]?.params[0]))).not.toHaveProperty("0.content");
    const ready = await sentBy((lane) => ({
      live: lane.live.map((event) => ({ ...event, state: "queued", leaseExpiresAt: null })),
    }));
    expect(short(ready)).toEqual(["update tandem.events_live", "select pg_notify('tandem_work"]);
  });

  it("removes an event whose content differs, and inserts it", async () => {
    await decide(opened.store, id, (lane, now) => ({ live: [aQueued(lane, now)] }));
    const sent = await sentBy((lane) => ({
      live: lane.live.map((event) => ({ ...event, content: { title: "B" } })),
    }));
    expect(short(sent)).toEqual([
      "delete from tandem.events_live",
      "insert into tandem.events_live",
      "select pg_notify('tandem_work",
    ]);
    expect((await readLane(opened.store, id)).live).toMatchObject([{ content: { title: "B" } }]);
  });

  it("empties the place of a lane that leaves it first", async () => {
    const sent = await sentBy(() => ({ externalId: "2" }));
    expect(sent.map(({ text }) => text.split(" where ")[0]?.slice(0, 47))).toEqual([
      "update tandem.lanes set external_id = null",
      expect.stringContaining("update tandem.lanes\nset"),
    ]);
    expect(short(await sentBy(() => ({ externalId: null })))).toHaveLength(2);
    // There is no place to leave.
    expect(short(await sentBy(() => ({ externalId: "3" })))).toHaveLength(1);
  });

  it("makes a reserved lane in one statement, and its event in another", async () => {
    const sent = await sentBy((lane, now) => ({ live: [aQueued(lane, now)] }), [], ["5"]);
    expect(short(sent)).toEqual([
      "with made_lanes as",
      "insert into tandem.events_live",
      "select pg_notify('tandem_work",
    ]);
    expect(sent[0]?.text).toContain("made_records as (");
  });

  it("makes a reserved lane and its ended event in one statement", async () => {
    const ended = (lane: Lane, now: Instant) => ({
      ended: [
        {
          ...aQueued(lane, now),
          state: "ignored",
          reason: "later_event",
          finishedAt: now,
        } as const,
      ],
    });
    const sent = await sentBy(ended, [], ["5"]);
    expect(short(sent)).toEqual(["with made_lanes as"]);
    expect(sent[0]?.text).toContain("ended as (");
  });

  it("makes reserved lanes in a statement before those that change other lanes", async () => {
    const sent = await sentBy(() => ({ recordId: "7" }), [], ["5"]);
    expect(short(sent)).toEqual(["with made_lanes as"]);
    const both = await sentBy((lane) => (lane.id === id ? { recordId: "8" } : {}), [id], ["6"]);
    expect(short(both)).toEqual(["with made_lanes as", "update tandem.lanes"]);
    const content = await sentBy(
      (lane) => (lane.id === id ? { display: { url: "u" } } : {}),
      [id],
      ["7"],
    );
    expect(short(content)).toEqual(["with made_lanes as", "update tandem.integration_records"]);
  });

  it("looks at the connection's switches if an event is newly switched off, and only then", async () => {
    await opened.store.directory.updateConnection(opened.connection, { inbound: false });
    const off = (lane: Lane, now: Instant) => ({
      live: [{ ...aQueued(lane, now), state: "disabled", reason: "connection_paused" } as const],
    });
    const sent = await sentBy(off);
    expect(short(sent)).toEqual(["select id", "insert into tandem.events_live"]);
    expect(sent[0]?.params).toEqual([[opened.connection]]);
    expect(short(await sentBy(() => ({ recordId: "7" })))).toEqual(["update tandem.lanes"]);
  });

  it("is refused if the lane appears twice in it, or an event in it has not ended", async () => {
    const { store } = opened;
    const before = await readLane(store, id);
    const twice = store.transaction(async (tx) => {
      const [lane] = await tx.lockLanes([id]);
      const decided = { before: present(lane), after: { lane: present(lane), ended: [] } };
      await tx.saveLanes([decided, decided]);
    });
    await expect(twice).rejects.toThrow(`lane ${id} is saved twice at once`);
    const live = aQueued(before, 0 as Instant);
    await expect(decide(store, id, () => ({ ended: [live] }))).rejects.toThrow(
      `event ${live.id} has not ended`,
    );
  });
});

function processing(event: TandemEvent): TandemEvent {
  return { ...event, state: "processing", reason: "being_processed" };
}
