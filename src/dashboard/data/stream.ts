/** A stream of server-sent events that reconnects automatically and reports its state. */
import { reconnectDelay } from "./backoff.ts";
import { addressOf } from "./request.ts";

export type StreamState =
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  /** Milliseconds until the next attempt. */
  | { readonly state: "away"; readonly retryIn: number };

export interface StreamListeners {
  /** Listeners by event name; they get the parsed data. */
  readonly heard: Readonly<Record<string, (data: unknown) => void>>;
  /** Called at each opening: events that were missed meanwhile must be fetched. */
  readonly opened: () => void;
  readonly moved: (state: StreamState) => void;
}

/** Opens the stream at `path` and keeps it open until the returned function is called. */
export function openStream(path: string, listeners: StreamListeners): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let stopped = false;

  const connect = (): void => {
    listeners.moved({ state: "connecting" });
    source = new EventSource(addressOf(path));
    source.onopen = () => {
      attempt = 0;
      listeners.moved({ state: "live" });
      listeners.opened();
    };
    // The browser's own reconnecting stops after some failures; ours does not.
    source.onerror = () => {
      source?.close();
      if (stopped) return;
      attempt += 1;
      const retryIn = reconnectDelay(attempt, Math.random());
      listeners.moved({ state: "away", retryIn });
      timer = setTimeout(connect, retryIn);
    };
    for (const [name, heard] of Object.entries(listeners.heard)) {
      source.addEventListener(name, (message: MessageEvent<string>) => {
        heard(JSON.parse(message.data));
      });
    }
  };

  connect();
  return () => {
    stopped = true;
    clearTimeout(timer);
    source?.close();
  };
}
