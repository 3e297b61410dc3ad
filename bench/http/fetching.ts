/** The bare loop: many requests in parallel, each followed by the next edit when it is answered. */
import { REPOSITORY_ID } from "../harness/work.ts";
import type { Part } from "./running.ts";

export interface FetchingInput {
  readonly api: string;
  readonly issues: number;
  readonly concurrency: number;
}

export interface Fetched {
  readonly perSecond: number;
  readonly failed: number;
}

export const fetchingPart: Part<FetchingInput, Fetched, null> = async (input) => {
  const { api, issues, concurrency } = input;
  let next = 1;
  let failed = 0;
  async function edit(): Promise<void> {
    while (next <= issues) {
      const number = next;
      next += 1;
      const response = await fetch(
        `${api}/repositories/${String(REPOSITORY_ID)}/issues/${String(number)}`,
        {
          method: "PATCH",
          headers: { authorization: "Bearer ghp_bench", "content-type": "application/json" },
          body: JSON.stringify({ title: `Edited ${String(number)}` }),
        },
      );
      const answer = (await response.json()) as { readonly title?: string };
      if (answer.title !== `Edited ${String(number)}`) failed += 1;
    }
  }
  // Connections are opened first, as those of a running server are.
  await Promise.all(Array.from({ length: concurrency }, () => fetch(api).then((r) => r.text())));
  const began = performance.now();
  await Promise.all(Array.from({ length: concurrency }, edit));
  const perSecond = (issues * 1_000) / (performance.now() - began);
  return { opened: { perSecond, failed }, stop: () => Promise.resolve(null) };
};
