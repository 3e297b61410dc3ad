/**
 * The moves of the small world, each at any moment: the provider changes, wires
 * deliver in any order, the app writes, the worker takes its next step, the faults come to an end.
 */
import type { Json } from "../../../src/model/content.ts";
import { isEndedByRecord } from "../../../src/model/tombstone.ts";
import type { Engine } from "./engine-under-test.ts";
import {
  admitted,
  changed,
  deciding,
  deleteWebhook,
  isInRoundTrip,
  isUndone,
  landing,
  onTheWire,
  seen,
  settled,
  shown,
  spend,
  type Step,
  watch,
} from "./world-facts.ts";
import {
  isQuiet,
  NO_BUDGET,
  nowIn,
  type Options,
  setsBeside,
  textOf,
  wireKey,
  type World,
} from "./world-state.ts";
import { workerOf } from "./world-worker.ts";

/** Lists, for a world, every move that may come next. */
export function worldOf(engine: Engine, options: Options): (world: World) => Step[] {
  const workerMoves = workerOf(engine, options);

  function providerMoves(world: World): Step[] {
    const { left, resource } = world;
    const steps: Step[] = [];
    if (resource.exists && left.remoteEdits > 0) {
      for (const field of options.fields) {
        if (options.sets === true) {
          for (const set of setsBeside(resource.content[field])) {
            const edited = changed(world, { ...resource.content, [field]: set });
            const name = `remote edit ${field}=${textOf(set)}`;
            steps.push({ name, world: spend(edited, "remoteEdits") });
          }
          continue;
        }
        for (const value of ["0", "1"]) {
          if (resource.content[field] === value) continue;
          const edited = changed(world, { ...resource.content, [field]: value });
          steps.push({
            name: `remote edit ${field}=${value}`,
            world: watch(spend(edited, "remoteEdits"), field, (before) => ({
              remote: value,
              localPending: before.localPending && !before.localLanded && before.local !== value,
              localLanded: before.localLanded || before.local === value,
              remotePending:
                !isInRoundTrip(world, options) &&
                world.record?.[field] !== value &&
                !isUndone(world, field, value),
            })),
          });
        }
      }
    }
    if (resource.exists && left.bumps > 0) {
      steps.push({ name: "bump", world: changed(spend(world, "bumps"), resource.content) });
    }
    if (resource.exists && left.remoteDeletes > 0) {
      const gone = { ...spend(world, "remoteDeletes"), resource: { ...resource, exists: false } };
      steps.push({ name: "remote delete", world: deleteWebhook(gone) });
    }
    if (!resource.exists && left.recreations > 0) {
      const back = changed(spend(world, "recreations"), resource.content);
      steps.push({ name: "remote re-creation", world: { ...back, recreated: true } });
    }
    if (left.ticks > 0) {
      steps.push({ name: "tick", world: { ...spend(world, "ticks"), tick: world.tick + 1 } });
    }
    if (world.orphan !== null) {
      const landed = resource.exists ? landing(world, world.orphan) : world;
      steps.push({ name: "orphan lands", world: { ...landed, orphan: null } });
    }
    if (resource.exists && world.byId === "to come") {
      const verifies = world.lane.tombstone !== null;
      steps.push({ name: "read by id", world: { ...world, byId: { ...seen(world), verifies } } });
    }
    if (typeof world.byId !== "string") {
      const { verifies, at, content } = world.byId;
      const wire = { kind: "upsert", at, content } as const;
      const source = verifies ? "verified" : "unverified";
      const read = admitted(engine, options, { ...world, byId: "admitted" }, wire, source);
      steps.push({ name: "admit the read by id", world: read });
    }
    if (resource.exists && left.pollReads > 0) {
      const page = onTheWire(spend(world, "pollReads"), { kind: "upsert", ...seen(world) });
      steps.push({ name: "poll read", world: page });
    }
    return steps;
  }

  function deliveries(world: World): Step[] {
    return world.wires.map((wire) => ({
      name: `deliver ${wireKey(wire)}`,
      world: admitted(
        engine,
        options,
        { ...world, wires: world.wires.filter((other) => other !== wire) },
        wire,
      ),
    }));
  }

  function appMoves(world: World): Step[] {
    const { left, record } = world;
    const steps: Step[] = [];
    if (left.refusals > 0 && !world.refuses) {
      const refusing = { ...spend(world, "refusals"), refuses: true };
      steps.push({ name: "the app will refuse", world: refusing });
    }
    if (record !== null && left.localEdits > 0) {
      for (const field of options.fields) {
        for (const value of localValues(world, field)) {
          if (record[field] === value) continue;
          steps.push({
            name: `local edit ${field}=${textOf(value)}`,
            world: localEdit(world, field, value),
          });
        }
      }
    }
    if (record !== null && left.localDeletes > 0) {
      steps.push({
        name: "local delete",
        world: {
          ...spend(world, "localDeletes"),
          record: null,
          change: { changedAt: world.change?.changedAt ?? {}, deleted: record },
        },
      });
    }
    const { change } = world;
    if (change !== null) {
      const { changedAt, deleted } = change;
      const action = deleted === null ? "upsert" : "delete";
      steps.push({
        name: "drain",
        world: deciding(options, { ...world, change: null }, (context) =>
          settled(
            { ...world, change: null },
            engine.admitChange(world.lane, { action, changedAt, ours: false, deleted }, context),
          ),
        ),
      });
    }
    return steps;
  }

  function localValues({ record, localEdits }: World, field: string): readonly Json[] {
    if (options.sets === true) return setsBeside(record?.[field]);
    const fresh = String(localEdits + 2);
    return options.localReverts === true ? [fresh, "0"] : [fresh];
  }

  function localEdit(world: World, field: string, value: Json): World {
    const record = { ...world.record, [field]: value };
    const changedAt = { ...world.change?.changedAt, [field]: nowIn(world) };
    const edited: World = {
      ...spend(world, "localEdits"),
      localEdits: world.localEdits + 1,
      record,
      change: { changedAt, deleted: null },
    };
    const ours = Number(world.resource.content[field]) >= 2;
    const nothingNew =
      value === world.lane.base?.[field] && !(ours && world.resource.content[field] !== value);
    return shown(
      watch(edited, field, () => ({
        local: textOf(value),
        localLanded: world.resource.content[field] === value,
        localPending: !nothingNew,
      })),
    );
  }

  function switchMoves(world: World): Step[] {
    if (world.off) {
      const on = engine.enableLane(world.lane, nowIn(world), ["inbound"]);
      return [{ name: "switch inbound on", world: { ...settled(world, on), off: false } }];
    }
    if (world.left.switches === 0) return [];
    return [{ name: "switch inbound off", world: { ...spend(world, "switches"), off: true } }];
  }

  function endMoves(world: World): Step[] {
    if (world.phase === "faults") {
      if (world.orphan !== null) return [];
      return [
        {
          name: "faults stop",
          world: { ...world, phase: "calm", left: NO_BUDGET, localEdits: 0, refuses: false },
        },
      ];
    }
    const steps: Step[] = [];
    if (world.wires.length > 0 && options.webhooks === "may be lost") {
      steps.push({ name: "webhooks lost", world: { ...world, wires: [] } });
    }
    if (world.phase === "calm" && !world.off && (options.strict === true || isQuiet(world))) {
      const seenNow = world.resource.exists
        ? admitted(engine, options, world, { kind: "upsert", ...seen(world) }, "poll")
        : world;
      const restarted = engine.restartRetryable(seenNow.lane, nowIn(world));
      steps.push({ name: "POLL", world: { ...settled(seenNow, restarted), phase: "polled" } });
    }
    if (world.phase === "polled" && options.sweep === true && isQuiet(world)) {
      steps.push({ name: "SWEEP", world: { ...swept(world), phase: "swept" } });
    }
    return steps;
  }

  function swept(world: World): World {
    const { resource, lane } = world;
    if (!resource.exists && lane.tombstone === null) {
      return admitted(
        engine,
        options,
        world,
        { kind: "delete", at: resource.at, content: {} },
        "poll",
      );
    }
    if (!resource.exists || lane.tombstone === null) return world;
    if (options.reads === true && !isEndedByRecord(lane.tombstone)) {
      return admitted(engine, options, world, { kind: "upsert", ...seen(world) }, "verified");
    }
    return deciding(options, world, (context) =>
      settled(world, engine.queueRemoval(lane, context)),
    );
  }

  return (world) => [
    ...workerMoves(world),
    ...deliveries(world),
    ...appMoves(world),
    ...providerMoves(world),
    ...switchMoves(world),
    ...endMoves(world),
  ];
}
