import { describe, expect, it } from "vitest";
import { openWorld } from "../../scripts/simulation-world.ts";
import { eventId } from "../../src/model/ids.ts";
import type { Decided, Store, StoreTransaction } from "../../src/store/store.ts";
import type { AppTask, AppWorld } from "../../src/testing/simulation/world/app-world.ts";
import { type Turn, TURNS } from "../../src/testing/simulation/history/history.ts";
import { LedgerWatch } from "../../src/testing/simulation/history/ledger-watch.ts";
import { shrink, type Told } from "../../src/testing/simulation/shrink.ts";
import {
  simulate,
  type SimulationOptions,
  type SimulationResult,
} from "../../src/testing/simulation/simulate.ts";
import { type Invariant, INVARIANTS } from "../../src/testing/simulation/judge/verdict.ts";

/** A history takes a tenth of a second; a busy machine takes longer. */
const TAKES_MS = 60_000;

describe("a simulated history", () => {
  it.each([2, 8, 13, 253, 746, 846, 6296])(
    "comes to rest with every invariant upheld: seed %i",
    async (seed) => {
      const { verdict, converged } = await tell({ seed });
      expect(Object.entries(verdict).filter(([, lines]) => lines.length > 0)).toEqual([]);
      expect(converged).toBe(true);
    },
    TAKES_MS,
  );

  it.each([56, 63, 69, 109, 303, 373, 617])(
    "in which tasks are moved and users have tokens comes to rest as well: seed %i",
    async (seed) => {
      const { world } = await openWorld("memory", "moving");
      const { verdict, story } = await simulate({ seed, world });
      expect(Object.entries(verdict).filter(([, lines]) => lines.length > 0)).toEqual([]);
      expect(story.some((line) => /is moved to project|is put below|is now/.test(line))).toBe(true);
    },
    TAKES_MS,
  );

  it(
    "has issues that are transferred, repositories that are renamed, and people who sign up",
    async () => {
      const { world } = await openWorld("memory", "moving");
      const turns = new Set<Turn>();
      for (let seed = 1; turns.size < TURNS.moving.length && seed <= 200; seed += 1) {
        for (const turn of (await simulate({ seed, world })).turns) turns.add(turn);
      }
      expect([...turns].sort()).toEqual([...TURNS.moving].sort());
    },
    TAKES_MS,
  );

  it(
    "is told the same way again by the same seed, and otherwise by another",
    async () => {
      const once = await tell({ seed: 17 });
      const again = await tell({ seed: 17 });
      const other = await tell({ seed: 18 });
      expect(again.story).toEqual(once.story);
      expect(again.trace).toBe(once.trace);
      expect(other.trace).not.toBe(once.trace);
    },
    TAKES_MS,
  );

  it(
    "lets workers die at failpoints, unless that is switched off",
    async () => {
      const dead: string[] = [];
      for (let seed = 1; seed <= 10; seed += 1) dead.push(...(await tell({ seed })).deaths);
      expect(new Set(dead).size).toBeGreaterThan(3);
      expect((await tell({ seed: 1, without: ["failpoints"] })).deaths).toEqual([]);
    },
    TAKES_MS,
  );

  it(
    "lets workers renew their leases, and die of a heartbeat as of anything else",
    async () => {
      const dead: string[] = [];
      const isHeartbeat = (point: string) => point.endsWith(":heartbeat");
      for (let seed = 1; !dead.some(isHeartbeat) && seed <= 300; seed += 1) {
        dead.push(...(await tell({ seed })).deaths);
      }
      expect(dead.filter(isHeartbeat)).not.toEqual([]);
    },
    TAKES_MS,
  );
});

/** Each invariant, but for one, with a fault that breaks it. */
const BREACHES: Readonly<
  Record<Exclude<Invariant, "concurrent">, (world: AppWorld) => Partial<SimulationOptions>>
> = {
  // Polls are shown nothing, and so it is the sweep that sees what no webhook told.
  behind: () => ({
    doctor: {
      network: (fetch) => async (input, init) => {
        const answer = await fetch(input, init);
        return new URL(input instanceof Request ? input.url : input).searchParams.get("sort") ===
          "updated"
          ? Response.json([], { headers: answer.headers })
          : answer;
      },
    },
  }),
  differing: (world) => ({
    world: altered(world, {
      tasks: async () =>
        (await world.tasks()).map((task) => ({ ...task, title: `${task.title} or not` })),
    }),
  }),
  // All of them belong elsewhere, if one asks the app.
  misplaced: (world) => ({
    world: altered(world, {
      tasks: async () => (await world.tasks()).map((task) => ({ ...task, projectId: "2" })),
    }),
  }),
  // Each row is taken for somebody's whose login is with another by now.
  misattributed: (world) => ({
    world: altered(world, {
      users: async () =>
        (await world.users()).map((user) => ({ ...user, login: null, placeholder: true })),
    }),
  }),
  lost: (world) => ({ world: altered(world, { editTask: () => Promise.resolve() }) }),
  duplicates: (world) => ({
    world: altered(world, {
      addTask: async (task) => {
        await world.addTask(task);
        return world.addTask(task);
      },
    }),
  }),
  revived: (world) => {
    const gone: AppTask[] = [];
    return {
      world: altered(world, {
        deleteTask: async (id) => {
          gone.push(...(await world.tasks()).filter((task) => task.id === id));
          await world.deleteTask(id);
        },
        tasks: async () => [...(await world.tasks()), ...gone],
      }),
    };
  },
  stuck: () => ({
    doctor: { store: inTransactions((tx) => ({ changes: { ...tx.changes, take: nothing } })) },
  }),
  overdue: () => ({
    doctor: { store: inTransactions(() => ({ lockExpiredLanes: nothing })) },
  }),
  // A claim that is passed on keeps its epoch, so that nothing tells it from the one before.
  trespasses: () => ({
    doctor: {
      store: saving(({ before, after }) => {
        const isLost = after.lane.live.some(({ reason }) => reason === "lease_lost");
        const wasHeld = before.live.some(({ state }) => state === "processing");
        const epoch = after.lane.epoch - Number(isLost && wasHeld);
        return { before, after: { ...after, lane: { ...after.lane, epoch } } };
      }),
    },
  }),
  illegal: () => ({
    doctor: {
      store: saving(({ before, after }) => ({
        before,
        after: {
          ...after,
          ended: after.ended.map((event) => ({ ...event, state: "canceled", canceledBy: null })),
        },
      })),
    },
  }),
  // The lease of whoever worked on it is kept.
  untidy: () => ({
    doctor: {
      store: saving(({ before, after }) => ({
        before,
        after: {
          ...after,
          ended: after.ended.map((event) => ({ ...event, leaseExpiresAt: event.runAt })),
        },
      })),
    },
  }),
  unaccounted: () => ({
    doctor: {
      store: (store) => ({
        ...store,
        deliveries: {
          ...store.deliveries,
          receive: async (given) =>
            given.map(({ id, verifiedBy }) => ({ id, verifiedBy, seenBefore: false })),
        },
      }),
    },
  }),
  // A person edits while the world reports that all is at rest.
  restless: (world) => {
    let looks = 0;
    return {
      doctor: {
        store: (store) => ({
          ...store,
          ledger: {
            ...store.ledger,
            events: async (query) => {
              looks += Number(query.limit > 10_000);
              const events = await store.ledger.events(query);
              for (const { id } of looks === 3 ? await world.tasks() : []) {
                await world.editTask(id, { title: "said in silence" });
              }
              return events;
            },
          },
        }),
      },
    };
  },
  chatty: () => ({
    doctor: {
      network: (fetch) => async (input, init) => {
        for (let more = 0; more < 20; more += 1)
          await fetch(input, { ...init, method: "GET", body: null });
        return fetch(input, init);
      },
    },
  }),
};

describe("the verdict on a history", () => {
  it.each(Object.entries(BREACHES))(
    "names what is broken: %s",
    async (name, breach) => {
      const { world } = await openWorld("memory");
      let found: readonly string[] = [];
      for (let seed = 70; seed < 90 && found.length === 0; seed += 1) {
        const { verdict } = await simulate({ seed, world, ...breach(world) });
        found = verdict[name as Invariant];
      }
      expect(found).not.toEqual([]);
    },
    TAKES_MS,
  );

  it(
    "names what is broken: concurrent",
    async () => {
      // No store accepts two events processing; one that did is the fault.
      const [decided, store] = await givenClaim();
      const careless = inTransactions(() => ({ saveLanes: () => Promise.resolve() }))(store);
      const watch = new LedgerWatch();
      const { lane, ended } = decided.after;
      const live = [...lane.live, ...lane.live.map((event) => ({ ...event, id: eventId("two") }))];
      const after = { lane: { ...lane, live }, ended };
      await watch
        .watch(careless)
        .transaction((tx) => tx.saveLanes([{ before: decided.before, after }]));
      expect(watch.concurrent).toHaveLength(1);
    },
    TAKES_MS,
  );

  it("knows of no invariant that has no example here", () => {
    expect([...Object.keys(BREACHES), "concurrent"].sort()).toEqual(Object.keys(INVARIANTS).sort());
  });
});

/** Faults of Tandem that the simulation of a world that moves must find. */
const SLIPS: Readonly<Record<string, SimulationOptions["doctor"]>> = {
  "asks for a repository by the name that it began with": {
    network: (fetch) => async (input, init) => {
      const address = input instanceof Request ? input.url : String(input);
      const named = address.replace("/repositories/1296269/", "/repos/acme/site/");
      const answer = await fetch(named, init);
      // As long as nobody has taken it, the name leads to where it is now.
      return answer.status === 301 ? fetch(input, init) : answer;
    },
  },
  "links nobody who signs up": {
    store: inTransactions((tx) => ({ links: { ...tx.links, find: nothing } })),
  },
  "follows no issue that went elsewhere": {
    store: inTransactions((tx) => ({
      findLanes: async (query) =>
        query.kind === "moved_to" || query.kind === "children" ? [] : tx.findLanes(query),
    })),
  },
};

describe("a fault planted in the engine", () => {
  it.each(Object.entries(SLIPS))(
    "is found in a world that moves: it %s",
    async (_, doctor) => {
      const { world } = await openWorld("memory", "moving");
      let isFound = false;
      for (let seed = 1; !isFound && seed <= 200; seed += 1) {
        const told = await simulate({ seed, world, ...(doctor === undefined ? {} : { doctor }) });
        isFound = !told.converged;
      }
      expect(isFound).toBe(true);
    },
    TAKES_MS,
  );

  it(
    "is found within a few hundred histories, and told in a handful of lines",
    async () => {
      const { world } = await openWorld("memory");
      // The ended events name no conflict, so no reader learns which edit lost.
      const doctor = {
        store: saving(({ before, after }) => ({
          before,
          after: { ...after, ended: after.ended.map((event) => ({ ...event, conflicts: [] })) },
        })),
      };
      let seed = 1;
      let found = await simulate({ seed, world, doctor });
      while (found.verdict.lost.length === 0 && seed < 300) {
        seed += 1;
        found = await simulate({ seed, world, doctor });
      }
      expect(found.verdict.lost).not.toEqual([]);

      const tellPart = (told: Told) => simulate({ seed, world, doctor, ...told });
      const short = await shrink(
        { moves: found.moves, without: [] },
        { fails: async (told) => (await tellPart(told)).verdict.lost.length > 0 },
      );
      const told = await tellPart(short);
      expect(told.verdict.lost).not.toEqual([]);
      expect(short.moves.length).toBeLessThanOrEqual(12);
      expect(told.story.length).toBeLessThanOrEqual(20);
      // Without the fault the same story is told with nothing lost.
      const sound = await simulate({ seed, world, ...short });
      expect(sound.verdict.lost).toEqual([]);
    },
    5 * TAKES_MS,
  );
});

async function tell(options: Partial<SimulationOptions>): Promise<SimulationResult> {
  const { world } = await openWorld("memory");
  return simulate({ seed: 46, world, ...options });
}

/** The claim of an event, with the store in which it happened. */
async function givenClaim(): Promise<readonly [Decided, Store]> {
  const claims: Decided[] = [];
  const stores: Store[] = [];
  const doctor = (store: Store) => {
    stores.push(store);
    return saving((decided) => {
      if (decided.after.lane.live.some(({ state }) => state === "processing")) claims.push(decided);
      return decided;
    })(store);
  };
  await tell({ doctor: { store: doctor } });
  const [[claim], [store]] = [claims, stores];
  if (claim === undefined || store === undefined) throw new Error("nothing was claimed");
  return [claim, store];
}

/** The same world but for some of its ways; its configuration changes with each history. */
function altered(world: AppWorld, ways: Partial<AppWorld>): AppWorld {
  return {
    ...world,
    get config() {
      return world.config;
    },
    ...ways,
  };
}

function nothing(): Promise<readonly never[]> {
  return Promise.resolve([]);
}

function inTransactions(
  ways: (tx: StoreTransaction) => Partial<StoreTransaction>,
): (store: Store) => Store {
  return (store) => ({
    ...store,
    transaction: (work, beginning) =>
      store.transaction((tx, seen) => work({ ...tx, ...ways(tx) }, seen), beginning),
  });
}

function saving(doctored: (decided: Decided) => Decided): (store: Store) => Store {
  return inTransactions((tx) => ({
    saveLanes: (decided) => tx.saveLanes(decided.map(doctored)),
  }));
}
