/** The head of the page: connections, accounts, and whether the page is live. */
import type { ApiAccount, ApiConnection, ApiStatus } from "../server/protocol/index.ts";
import { Logo } from "./elements/index.ts";
import {
  accountStanding,
  connectionStanding,
  refusedWebhooks,
  send,
  type StreamState,
} from "./data/index.ts";

export function Header({
  status,
  stream,
  failed,
}: {
  readonly status: ApiStatus | null;
  readonly stream: StreamState;
  readonly failed: (error: unknown) => void;
}) {
  const refused = refusedWebhooks(status?.refused_webhooks ?? []);
  return (
    <header class="header">
      <h1 class="brand">
        <Logo /> Tandem
      </h1>
      <ul class="connections" aria-label="Connections">
        {status?.connections.map((connection) => (
          <Connection key={connection.id} connection={connection} failed={failed} />
        ))}
        {status?.accounts.map((account) => (
          <Account key={account.id} account={account} />
        ))}
        {refused !== "" && (
          <li class="connection">
            <span class="dot bad" />
            <span>{refused}</span>
          </li>
        )}
      </ul>
      <a class="audit-link" href="#audit">
        Logins and acts
      </a>
      <LiveIndicator stream={stream} />
    </header>
  );
}

function Connection({
  connection,
  failed,
}: {
  readonly connection: ApiConnection;
  readonly failed: (error: unknown) => void;
}) {
  const standing = connectionStanding(connection);
  const open = connection.inbound || connection.outbound;
  const turn = open ? "pause" : "enable";
  const path = `/api/connections/${encodeURIComponent(connection.id)}/${turn}`;
  return (
    <li class="connection">
      <span class={`dot ${standing.tone}`} />
      <span>
        <strong>{connection.container}</strong>
        <span class="faint">
          {" "}
          ↔ scope {connection.scope}, {standing.text}
        </span>
      </span>
      <button
        type="button"
        class="small"
        aria-label={`${open ? "Pause" : "Enable"} ${connection.container}`}
        onClick={() => void send("POST", path).catch(failed)}
      >
        {open ? "Pause" : "Enable"}
      </button>
    </li>
  );
}

function Account({ account }: { readonly account: ApiAccount }) {
  const standing = accountStanding(account);
  return (
    <li class="connection">
      <span class={`dot ${standing.tone}`} />
      <span>
        <span class="faint">Account</span> {account.name}
        <span class={standing.tone === "good" ? "faint" : ""}> {standing.text}</span>
      </span>
    </li>
  );
}

function LiveIndicator({ stream }: { readonly stream: StreamState }) {
  const texts = {
    live: "Live",
    connecting: "Connecting…",
    away: "Connection lost, reconnecting…",
  } as const;
  const tone = stream.state === "live" ? "good" : stream.state === "away" ? "bad" : "waiting";
  return (
    <p class="live" role="status">
      <span class={`dot ${tone} ${stream.state === "live" ? "pulse" : ""}`} />
      {texts[stream.state]}
    </p>
  );
}
