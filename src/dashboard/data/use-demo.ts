/** The live state of the demo's two sides; `null` if the server is no demo. */
import { useEffect, useState } from "preact/hooks";
import type { DemoState } from "../../demo/api-types.ts";
import { openStream } from "./stream.ts";

export function useDemo(): DemoState | null {
  const [demo, setDemo] = useState<DemoState | null>(null);
  useEffect(() => {
    // The server marks the demo's page, so that other servers get no useless requests.
    if (!isDemo()) return undefined;
    return openStream("/demo/stream", {
      // A cast, because both sides compile the same declaration.
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
