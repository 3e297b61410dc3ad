/** The live ledger: fetched pages and the stream's events as one state for the page. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { ApiEvent, ApiEvents, ApiStatus } from "../../server/protocol/index.ts";
import {
  EMPTY_LEDGER,
  addStreamed,
  type LoadedLedger,
  type LedgerFilter,
  eventsNewestFirst,
  queryOf,
  addFetched,
} from "./ledger.ts";
import { get, isLocked } from "./request.ts";
import { openStream, type StreamState } from "./stream.ts";

export interface LiveLedger {
  readonly events: readonly ApiEvent[];
  readonly status: ApiStatus | null;
  readonly stream: StreamState;
  /** Whether a page was fetched yet. */
  readonly loaded: boolean;
  readonly isFresh: (id: string) => boolean;
  readonly hasOlder: boolean;
  readonly loadOlder: () => Promise<void>;
  /** Fetches an event that the page does not have; `false` if it does not exist. */
  readonly find: (id: string) => Promise<boolean>;
  readonly setStatus: (status: ApiStatus) => void;
}

/** Events that arrive within this time are drawn together. */
const BURST_MILLIS = 40;

export function useLedger(filter: LedgerFilter, failed: (error: unknown) => void): LiveLedger {
  const [ledger, setLedger] = useState(EMPTY_LEDGER);
  const [status, setStatus] = useState<ApiStatus | null>(null);
  const [stream, setStream] = useState<StreamState>({ state: "connecting" });
  const [next, setNext] = useState<string | null>(null);
  const [loaded, setLoaded] = useState(false);
  const latest = useRef<LoadedLedger>(EMPTY_LEDGER);
  const burst = useRef<ApiEvent[]>([]);
  const query = queryOf(filter, null);
  const wanted = useRef(query);
  wanted.current = query;

  const change = useCallback((to: LoadedLedger): void => {
    latest.current = to;
    setLedger(to);
  }, []);

  const fetchPage = useCallback(
    async (page: string): Promise<void> => {
      const asked = latest.current.tick;
      try {
        const answer = await get<ApiEvents>(`/api/events?${page}`);
        change(addFetched(latest.current, answer.events, asked));
        setNext(answer.next);
        setLoaded(true);
      } catch (error) {
        failed(error);
      }
    },
    [change, failed],
  );

  useEffect(() => {
    void fetchPage(query);
  }, [query, fetchPage]);

  useEffect(
    () =>
      openStream("/api/stream", {
        heard: {
          ledger: (data) => {
            // A cast, because both sides compile the same declaration.
            burst.current.push(data as ApiEvent);
            if (burst.current.length > 1) return;
            setTimeout(
              () => change(addStreamed(latest.current, burst.current.splice(0))),
              BURST_MILLIS,
            );
          },
          status: (data) => setStatus(data as ApiStatus),
        },
        opened: () => {
          void fetchPage(wanted.current);
          get<ApiStatus>("/api/status").then(setStatus, failed);
        },
        moved: (state) => {
          setStream(state);
          if (state.state !== "away") return;
          // A stream does not report why it ended, so ask whether the login has ended.
          get<ApiStatus>("/api/status").then(setStatus, (error: unknown) => {
            if (isLocked(error)) failed(error);
          });
        },
      }),
    [change, failed, fetchPage],
  );

  return {
    events: eventsNewestFirst(ledger),
    status,
    stream,
    loaded,
    isFresh: (id) => ledger.entries.get(id)?.fresh ?? false,
    hasOlder: next !== null,
    loadOlder: () => fetchPage(queryOf(filter, next)),
    find: async (id) => {
      if (latest.current.entries.has(id)) return true;
      try {
        const event = await get<ApiEvent>(`/api/events/${encodeURIComponent(id)}`);
        change(addFetched(latest.current, [event], latest.current.tick));
        return true;
      } catch {
        // Retention deleted the event: a fact to show, not a failure.
        return false;
      }
    },
    setStatus,
  };
}
