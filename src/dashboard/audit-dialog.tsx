/** Active logins, which can be ended here, and the audit of acts, which is read-only. */
import { useEffect, useState } from "preact/hooks";
import type { ApiAct, ApiAudit, ApiSession, ApiSessions } from "../server/protocol/index.ts";
import { dayTime, get, send } from "./data/index.ts";
import { Sheet } from "./elements/index.ts";

const PAGE = 50;

export function AuditDialog({
  failed,
  close,
}: {
  readonly failed: (error: unknown) => void;
  readonly close: () => void;
}) {
  const [sessions, setSessions] = useState<readonly ApiSession[]>([]);
  const [acts, setActs] = useState<readonly ApiAct[] | null>(null);
  const [next, setNext] = useState<string | null>(null);

  const readActs = async (before: string | null): Promise<void> => {
    const page = before === null ? "" : `&before=${encodeURIComponent(before)}`;
    const answer = await get<ApiAudit>(`/api/audit?limit=${String(PAGE)}${page}`);
    setActs((known) => [...(before === null ? [] : (known ?? [])), ...answer.acts]);
    setNext(answer.next);
  };
  const readAll = async (): Promise<void> => {
    setSessions((await get<ApiSessions>("/api/sessions")).sessions);
    await readActs(null);
  };
  useEffect(() => {
    readAll().catch(failed);
  }, []);

  const end = ({ id, current }: ApiSession): void => {
    const path = current ? "/api/logout" : `/api/sessions/${encodeURIComponent(id)}/revoke`;
    send("POST", path).then(readAll).catch(failed);
  };

  return (
    <Sheet title="Logins and acts" close={close}>
      {sessions.length === 0 ? null : (
        <section class="logins" aria-label="Logins">
          <h3>Logins</h3>
          <ul>
            {sessions.map((session) => (
              <Login key={session.id} session={session} end={() => end(session)} />
            ))}
          </ul>
        </section>
      )}
      <section class="acts" aria-label="Acts">
        <h3>Acts</h3>
        {acts === null ? null : acts.length === 0 ? (
          <p class="empty">There are no acts yet.</p>
        ) : (
          <ol>
            {acts.map((act) => (
              <Act key={act.id} act={act} />
            ))}
          </ol>
        )}
        {next === null ? null : (
          <button type="button" class="older" onClick={() => void readActs(next).catch(failed)}>
            Older
          </button>
        )}
      </section>
    </Sheet>
  );
}

function Login({ session, end }: { readonly session: ApiSession; readonly end: () => void }) {
  const name = session.id.slice(0, 8);
  return (
    <li>
      <span>
        <strong>{name}</strong> {session.current ? <span class="tag">this one</span> : null}
        <span class="faint">
          {" "}
          from {session.origin}, last used {dayTime(session.used_at)}, ends{" "}
          {dayTime(session.expires_at)}
        </span>
      </span>
      <button
        type="button"
        class="small danger"
        aria-label={session.current ? "Log out" : `Revoke ${name}`}
        onClick={end}
      >
        {session.current ? "Log out" : "Revoke"}
      </button>
    </li>
  );
}

function Act({ act }: { readonly act: ApiAct }) {
  const refused = act.status >= 400;
  return (
    <li>
      <span class={`dot ${refused ? "bad" : "good"}`} />
      <time class="faint" dateTime={act.at}>
        {dayTime(act.at)}
      </time>
      <span>
        <strong>{act.act}</strong> {act.subject}
        {refused ? <span class="tag warning">refused, {act.status}</span> : null}
        <span class="faint by">
          {act.actor}, from {act.origin}
        </span>
      </span>
    </li>
  );
}
