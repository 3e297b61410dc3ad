/** The demo's two sides, live, where the server is a demo; `null` where it is not. */
import { useEffect, useState } from "preact/hooks";
import type { DemoState } from "../demo/api-types.ts";
import { openStream } from "./stream.ts";

export function useDemo(): DemoState | null {
  const [demo, setDemo] = useState<DemoState | null>(null);
  useEffect(() => {
    // The page is told by the server that sent it, so that others are not asked in vain.
    if (!isDemo()) return undefined;
    return openStream("/demo/stream", {
      // The server's types are ours: both are compiled from one declaration.
      heard: { state: (data) => setDemo(data as DemoState) },
      opened: () => undefined,
      moved: () => undefined,
    });
  }, []);
  return demo;
}

export function isDemo(): boolean {
  return "demo" in document.documentElement.dataset;
}
