/** Placeholders as Tandem remembers them, and the links that give their records to users. */
import type { EventId } from "../../../model/ids.ts";
import { formatInstant } from "../../../model/instant.ts";
import type { Placeholder } from "../../../model/placeholder.ts";
import type { Queryable } from "../../database/index.ts";
import { storableJson } from "../../database/index.ts";
import { type ActorRows, connectLink, findLinks, type PlaceholderRows } from "../../rules/index.ts";
import type { IdentitySettings, Link, LinkStore } from "../../store.ts";

interface PlaceholderRow {
  readonly record_id: string;
  readonly integration: string;
  readonly login: string;
  readonly written: Placeholder["written"];
  readonly linked_to: string | null;
}

interface LinkRow {
  readonly id: string;
  readonly integration: string;
  readonly login: string;
  readonly placeholder_id: string;
  readonly user_id: string;
  readonly connected: boolean;
  readonly attempts: number;
}

const LOCKS = { none: "", hold: "for share", change: "for no key update" } as const;

export function placeholderRows(tx: Queryable): PlaceholderRows {
  return {
    async of({ name }, integration, logins, lock) {
      const { rows } = await tx.query<PlaceholderRow>(
        `select record_id, integration, login, written, linked_to
         from tandem.placeholders
         where record_type = $1 and integration = $2 and login = any($3::text[])
         order by record_id
         ${LOCKS[lock]}`,
        [name, integration, logins],
      );
      return rows.map((row) => ({
        recordId: row.record_id,
        integration: row.integration,
        login: row.login,
        written: row.written,
        linkedTo: row.linked_to,
      }));
    },
    async add({ name }, { recordId, integration, login, written }, origin) {
      // A key that is given a second time is another row's: the first one is gone.
      await tx.query(
        `insert into tandem.placeholders
           (record_type, record_id, integration, login, written, made_by)
         values ($1, $2, $3, $4, $5::jsonb, $6)
         on conflict (record_type, record_id) do update
         set integration = excluded.integration, login = excluded.login,
           written = excluded.written, made_by = excluded.made_by, made_at = tandem.now(),
           linked_to = null`,
        [name, recordId, integration, login, storableJson(written), origin],
      );
    },
    async link({ name }, recordId, userId) {
      await tx.query(
        "update tandem.placeholders set linked_to = $3 where record_type = $1 and record_id = $2",
        [name, recordId, userId],
      );
    },
  };
}

const ADD = `
insert into tandem.links (record_type, integration, login, placeholder_id, user_id)
select $1, integration, login, placeholder_id, user_id
from json_to_recordset($2::json) as added (
  integration text,
  login text,
  placeholder_id text,
  user_id text
)
on conflict (record_type, placeholder_id, user_id) do update
set run_at = tandem.now(), connected = false`;

// Putting it off is the claim: should its worker die, another finds it due again.
const CLAIM = `
update tandem.links
set run_at = $2::timestamptz, attempts = attempts + 1
where id = (
  select id from tandem.links
  where run_at <= tandem.now() and record_type = $1
  order by run_at, id
  limit 1
  for update skip locked
)
returning *`;

/** The links of one transaction; without identities there are none. */
export function linkStore(
  tx: Queryable,
  rows: ActorRows,
  identities: IdentitySettings | undefined,
): LinkStore {
  return {
    find: async (ids) =>
      identities === undefined || ids.length === 0 ? [] : findLinks(rows, identities, ids),
    async add(links) {
      if (identities === undefined || links.length === 0) return;
      const added = links.map(({ integration, login, placeholderId, userId }) => ({
        integration,
        login,
        placeholder_id: placeholderId,
        user_id: userId,
      }));
      await tx.query(ADD, [identities.table, storableJson(added)]);
    },
    async claim(until) {
      if (identities === undefined) return null;
      const { rows: claimed } = await tx.query<LinkRow>(CLAIM, [
        identities.table,
        formatInstant(until),
      ]);
      const [row] = claimed;
      return row === undefined ? null : linkFromRow(row);
    },
    async connect(link: Link, origin: EventId) {
      if (identities === undefined) return "outlived";
      const result = await connectLink(rows, identities, link, origin);
      if (result === "connected") {
        await tx.query("update tandem.links set connected = true where id = $1", [link.id]);
      }
      return result;
    },
    async again(id, runAt) {
      await tx.query("update tandem.links set run_at = $2 where id = $1", [
        id,
        formatInstant(runAt),
      ]);
    },
    async done(id) {
      await tx.query("delete from tandem.links where id = $1", [id]);
    },
  };
}

function linkFromRow(row: LinkRow): Link {
  return {
    id: row.id,
    integration: row.integration,
    login: row.login,
    placeholderId: row.placeholder_id,
    userId: row.user_id,
    connected: row.connected,
    attempts: row.attempts,
  };
}
