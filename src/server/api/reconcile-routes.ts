/** Routes for reconcile and backfill, used by `tandem reconcile` and `tandem backfill`. */
import type { Hono } from "hono";
import type { TandemCore } from "../../compose.ts";
import type { PlannedAction } from "../../engine/lifecycle/index.ts";
import { type ConnectionId, connectionId } from "../../model/ids.ts";
import {
  type ApiBackfills,
  type ApiPlannedAction,
  type ApiReconciliation,
  problem,
  representBackfill,
} from "../protocol/index.ts";
import type { ApiEnv } from "../access/index.ts";

type Refuse = (id: ConnectionId) => Promise<Response | null>;

/** @param refuse The refusal for a connection on which nothing may be done, or `null`. */
export function addReconcileRoutes(api: Hono<ApiEnv>, core: TandemCore, refuse: Refuse): void {
  api.post("/connections/:id/reconcile", async (context) => {
    const id = connectionId(context.req.param("id"));
    const refused = await refuse(id);
    if (refused !== null) return refused;
    const wanted = context.req.query("dry_run") ?? "false";
    if (wanted !== "true" && wanted !== "false") {
      return problem(
        400,
        "invalid_query",
        `dry_run is "${wanted}"`,
        "Use true to see the plan only, or false.",
      );
    }
    const { actions, ...rest } = await core.reconcile(id, { dryRun: wanted === "true" });
    const body: ApiReconciliation = { ...rest, actions: actions.map(representAction) };
    return context.json(body);
  });

  api.post("/connections/:id/backfill", async (context) => {
    const id = connectionId(context.req.param("id"));
    const refused = await refuse(id);
    if (refused !== null) return refused;
    await core.backfill(id);
    return context.json(await backfills());
  });

  api.get("/backfills", async (context) => context.json(await backfills()));

  async function backfills(): Promise<ApiBackfills> {
    const connections = await core.services.store.directory.connections();
    const all = await core.backfills();
    return { backfills: all.map((one) => representBackfill(one, connections)) };
  }
}

function representAction(action: PlannedAction): ApiPlannedAction {
  const { kind, changes, conflicts } = action;
  return {
    kind,
    record_type: action.recordType,
    record_id: action.recordId,
    resource_type: action.resourceType,
    integration_external_id: action.externalId,
    ...{ changes, conflicts },
  };
}
