/** Mutants of what is asked of a provider, and of what is believed of its answers. */
import type { CodeMutant } from "./mutant.ts";

const repositoryApi = "src/integrations/github/repository-api.ts";

export const providers: readonly CodeMutant[] = [
  {
    id: "name-before-write",
    rule: "A write by a repository's name looks up first whose name it is",
    file: repositoryApi,
    find: '      request.method === "GET" &&\n      lookedUp !== undefined &&',
    replace: "      lookedUp !== undefined &&",
    killedBy: ["test/integrations/github/by-name.test.ts"],
  },
  {
    id: "name-of-another",
    rule: "A name that leads to another repository is not this one's",
    file: repositoryApi,
    find: "return found.id === this.#id ? found : null;",
    replace: "return found;",
    killedBy: ["test/integrations/github/by-name.test.ts"],
  },
  {
    id: "number-first",
    rule: "A repository that is found by its number is not asked for by name",
    file: repositoryApi,
    find: "if (!(await this.#hasNameOnly(request.signal))) throw error;",
    replace: "await this.#hasNameOnly(request.signal);",
    killedBy: ["test/integrations/github/by-name.test.ts"],
  },
];
