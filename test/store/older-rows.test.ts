/** Rows as code from before writes them, also while it works beside ours, as ours reads them. */
import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import type { EventId, LaneId } from "../../src/model/ids.ts";
import { parseInstant } from "../../src/model/instant.ts";
import type { OffCause } from "../../src/model/lane.ts";
import { describeOnEachEmptyDatabase } from "../harness/databases.ts";
import {
  anId,
  aQueued,
  decide,
  laneOf,
  type OpenedSqlStore,
  openStore,
  readLane,
} from "./opened-store.ts";

const AT = "2026-03-02T09:00:00.000000Z";
const MONA = { id: "9007199254740993", login: "mona" };
const HUBERT = { id: "2", login: "hubert" };

describeOnEachEmptyDatabase("rows of code from before", (open) => {
  let opened: OpenedSqlStore;
  let id: LaneId;

  beforeEach(async () => {
    opened = await openStore(await open());
    id = await laneOf(opened, "9");
  });

  /** The intent that a lane reads from stored JSON; its key must agree. */
  async function postedOf(json: unknown) {
    const { app, store, connection } = opened;
    await app.sql(
      `update tandem.lanes
       set intent_token = 't0ken', intent_since = $2, intent_posted = $3::text::jsonb
       where id = $1`,
      [id, AT, JSON.stringify(json)],
    );
    const lane = await readLane(store, id);
    const [key] = await store.transaction((tx) =>
      tx.findLanes({
        kind: "of_tokens",
        connectionId: connection,
        resourceType: "issue",
        tokens: ["t0ken"],
      }),
    );
    expect(key?.intent).toEqual(lane.intent);
    return lane.intent;
  }
  const unknown = { times: 1, said: [], made: [] };

  it("say nothing of users where the account sent every create", async () => {
    const intent = await postedOf({ times: 2, at: AT, authors: [], byAuthor: false });
    expect(intent).toEqual({ token: "t0ken", since: parseInstant(AT), tokenless: false });
  });

  it("name who sent creates, and not what they said and made", async () => {
    const json = { times: 2, at: AT, authors: [MONA, HUBERT], byAuthor: false };
    expect((await postedOf(json))?.posted).toEqual({
      at: parseInstant(AT),
      authors: [
        { ...MONA, ...unknown },
        { ...HUBERT, ...unknown },
      ],
      byAuthor: null,
    });
  });

  it("tell that a user wrote the resource, and not which of them", async () => {
    const json = { times: 1, at: AT, authors: [MONA], byAuthor: true };
    expect((await postedOf(json))?.posted).toEqual({
      at: parseInstant(AT),
      authors: [{ ...MONA, ...unknown }],
      byAuthor: MONA.id,
    });
  });

  it("keep what ours noted of a user whom they know already", async () => {
    const mona = { ...MONA, times: 2, said: ["s"], made: ["9"] };
    const json = { times: 3, at: AT, authors: [mona, HUBERT], byAuthor: MONA.id };
    expect((await postedOf(json))?.posted).toEqual({
      at: parseInstant(AT),
      authors: [mona, { ...HUBERT, ...unknown }],
      byAuthor: MONA.id,
    });
  });

  describe("that lost their resource keep in moved_from_*", () => {
    /** The lane with the columns that older versions write when its resource is gone. */
    async function goneLane(event: EventId) {
      const { app, store, connection } = opened;
      await app.sql(
        `update tandem.lanes
         set tombstone_at = $2, tombstone_event = $3, tombstone_side = 'resource',
           moved_from_connection = $4, moved_from_external_id = $5
         where id = $1`,
        [id, AT, event, connection, "7"],
      );
      return readLane(store, id);
    }
    /** Applies migration 34 to the rows, as if it had not been applied before. */
    async function migrateAgain() {
      const { app } = opened;
      await app.sql("alter table tandem.lanes drop column tombstone_unfollowed");
      await app.sql(await readFile("migrations/0034_moved_on.sql", "utf8"));
    }

    it("the address that the resource moved on to, unless a deletion of its own waits", async () => {
      const address = { connection: opened.connection, externalId: "7" };
      const left = {
        moved: null,
        tombstone: { record: "present", resource: { movedOn: address } },
      };
      expect(await goneLane(anId())).toMatchObject(left);
      await migrateAgain();
      expect(await readLane(opened.store, id)).toMatchObject(left);
    });

    it("the address that record and children follow from, if its own deletion waits", async () => {
      const { store, connection } = opened;
      const event = anId();
      await decide(store, id, (lane, now) => ({
        live: [{ ...aQueued(lane, now), id: event, action: "delete" }],
      }));
      await goneLane(event);
      await migrateAgain();
      expect(await readLane(store, id)).toMatchObject({
        moved: { connection, externalId: "7" },
        tombstone: { record: "present", resource: "deleted" },
      });
    });
  });

  it.each<[string, OffCause]>([
    ["quarantined: title went back and forth", "quarantined"],
    ["not mapped any more", "unmapped"],
    ["the database was restored: a resource may have been created for it", "restored"],
  ])("tell by the sentence %j what switched a pairing off", async (why, cause) => {
    const { app, store } = opened;
    const told = async () => {
      await app.sql("update tandem.lanes set disabled = $2 where id = $1", [id, why]);
      const { disabled } = await readLane(store, id);
      const { pairings } = await store.ledger.disabledPairings(1);
      expect(pairings).toMatchObject([{ laneId: id, ...disabled }]);
      return disabled;
    };
    // No cause beside it; then each that ours may have left there.
    expect(await told()).toEqual({ cause, why });
    for (const stale of ["quarantined", "unmapped", "restored"] as const) {
      await decide(store, id, () => ({ disabled: { cause: stale, why: "in other words" } }));
      expect((await readLane(store, id)).disabled?.cause).toBe(stale);
      expect(await told()).toEqual({ cause, why });
    }
  });
});
