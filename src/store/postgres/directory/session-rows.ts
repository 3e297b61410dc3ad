/** Logins of the dashboard. */
import { parseInstant } from "../../../model/instant.ts";
import type { Queryable } from "../../database/index.ts";
import {
  type LoginSession,
  SESSION_AGE_MS,
  SESSION_IDLE_MS,
  SESSION_TOUCH_MS,
  type SessionStore,
} from "../../sessions.ts";

interface SessionRow {
  readonly id: string;
  readonly origin: string;
  readonly created_at: string;
  readonly used_at: string;
}

const millis = (count: number): string => `interval '${String(count)} milliseconds'`;

const ALIVE = `
  created_at > tandem.now() - ${millis(SESSION_AGE_MS)}
  and used_at > tandem.now() - ${millis(SESSION_IDLE_MS)}`;

const LOOK = `
select
  token_digest = $2 and ${ALIVE} as alive,
  used_at <= tandem.now() - ${millis(SESSION_TOUCH_MS)} as stale
from tandem.sessions
where id = $1`;

export function sessionStore(database: Queryable): SessionStore {
  return {
    async open({ id, tokenDigest, origin }) {
      await database.query(`delete from tandem.sessions where not (${ALIVE})`);
      await database.query(
        "insert into tandem.sessions (id, token_digest, origin) values ($1, $2, $3)",
        [id, tokenDigest, origin],
      );
    },
    async use(id, tokenDigest) {
      const { rows } = await database.query<{ alive: boolean; stale: boolean }>(LOOK, [
        id,
        tokenDigest,
      ]);
      const [found] = rows;
      if (found === undefined) return false;
      if (!found.alive) {
        await database.query("delete from tandem.sessions where id = $1", [id]);
      } else if (found.stale) {
        await database.query("update tandem.sessions set used_at = tandem.now() where id = $1", [
          id,
        ]);
      }
      return found.alive;
    },
    async list() {
      const { rows } = await database.query<SessionRow>(
        `select id, origin, created_at, used_at from tandem.sessions where ${ALIVE}
         order by created_at desc, id`,
      );
      return rows.map(sessionFromRow);
    },
    async end(id) {
      const { rows } = await database.query(
        "delete from tandem.sessions where id = $1 returning id",
        [id],
      );
      return rows.length > 0;
    },
    async endAll() {
      await database.query("delete from tandem.sessions");
    },
  };
}

function sessionFromRow(row: SessionRow): LoginSession {
  return {
    id: row.id,
    origin: row.origin,
    createdAt: parseInstant(row.created_at),
    usedAt: parseInstant(row.used_at),
  };
}
