import type { GitHubSimulator } from "../../../src/testing/github/index.ts";

/** Below a number nothing is found; the list of a repository's comments is missing as well. */
export function knowingNamesOnly(sim: GitHubSimulator): typeof globalThis.fetch {
  return (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : String(input));
    if (/^\/repositories\/\d+\/./.test(pathname) || pathname.endsWith("/issues/comments")) {
      return Promise.resolve(Response.json({ message: "Not Found" }, { status: 404 }));
    }
    return sim.fetch(input, init);
  };
}
