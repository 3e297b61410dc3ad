/** Logins of the dashboard, and acts of people. */
import { addMillis } from "../../model/instant.ts";
import { AUDIT_KEPT_MS, AUDIT_PRUNED_AT_ONCE, type AuditStore } from "../audit.ts";
import {
  type LoginSession,
  SESSION_AGE_MS,
  SESSION_IDLE_MS,
  SESSION_TOUCH_MS,
  type SessionStore,
} from "../sessions.ts";
import type { MemoryState, Step } from "./tables/index.ts";

export function memorySessions(state: MemoryState, step: Step): SessionStore {
  const { sessions } = state;
  const isAlive = ({ createdAt, usedAt }: LoginSession): boolean => {
    const now = state.now();
    return createdAt > addMillis(now, -SESSION_AGE_MS) && usedAt > addMillis(now, -SESSION_IDLE_MS);
  };
  return {
    open: (session) =>
      step(() => {
        for (const known of sessions.rows()) if (!isAlive(known)) sessions.delete(known.id);
        const now = state.now();
        sessions.put({ ...session, createdAt: now, usedAt: now });
      }),
    use: (id, tokenDigest) =>
      step(() => {
        const session = sessions.get(id);
        if (session === undefined) return false;
        const alive = session.tokenDigest === tokenDigest && isAlive(session);
        if (!alive) sessions.delete(id);
        else if (session.usedAt <= addMillis(state.now(), -SESSION_TOUCH_MS)) {
          sessions.put({ ...session, usedAt: state.now() });
        }
        return alive;
      }),
    list: () =>
      step(() =>
        sessions
          .rows()
          .filter(isAlive)
          .map(({ tokenDigest: _, ...session }) => session)
          .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1)),
      ),
    end: (id) =>
      step(() => {
        const isKnown = sessions.get(id) !== undefined;
        sessions.delete(id);
        return isKnown;
      }),
    endAll: () =>
      step(() => {
        for (const { id } of sessions.rows()) sessions.delete(id);
      }),
  };
}

export function memoryAudit(state: MemoryState, step: Step): AuditStore {
  const { audit } = state;
  return {
    append: (act) =>
      step(() => {
        audit.put({ ...act, id: state.count("act"), at: state.now() });
        const end = addMillis(state.now(), -AUDIT_KEPT_MS);
        for (const { id, at } of audit.first(AUDIT_PRUNED_AT_ONCE)) if (at < end) audit.delete(id);
      }),
    entries: ({ act, before, limit }) =>
      step(() =>
        audit
          .rows()
          .filter((entry) => act === undefined || entry.act === act)
          .filter(({ id }) => before === undefined || Number(id) < Number(before))
          .toReversed()
          .slice(0, limit),
      ),
  };
}
