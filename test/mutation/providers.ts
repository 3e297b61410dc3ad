/** Mutants of what is asked of a provider, and of what is believed of its answers. */
import type { CodeMutant } from "./mutant.ts";

const errors = "src/integrations/github/transport/errors.ts";
const listing = "src/integrations/github/listing.ts";
const lies = ["test/integrations/github/transport/lies.test.ts"];
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
  {
    id: "redirect-nowhere",
    rule: "A redirect that leads to no other issue of the same API may pass",
    file: errors,
    find: "return move === null ? MISLED : MOVED;",
    replace: "return MOVED;",
    killedBy: lies,
  },
  {
    id: "redirect-proved",
    rule: "... and one that does is believed where the issue is there",
    file: repositoryApi,
    find: 'return issue.number === externalId ? "there" : "nothing";\n    } catch (error) {',
    replace:
      'return issue.number === externalId ? "there" : "nothing";\n    } catch (error) {\n      if (externalId) return "there";',
    killedBy: lies,
  },
  {
    id: "refused-in-html",
    rule: "A refusal that is no JSON is not GitHub's",
    file: errors,
    find: "return NOT_GITHUB;",
    replace: "Math.abs(0);",
    killedBy: lies,
  },
  {
    id: "pages-in-circles",
    rule: "A page that was read before ends the listing",
    file: listing,
    find: "this.#asked.has(next) ||",
    replace: "",
    killedBy: lies,
  },
  {
    id: "pages-without-news",
    rule: "Pages on end that bring nothing new end it, too",
    file: listing,
    find: "this.#withoutNews >= PAGES_WITHOUT_NEWS ||",
    replace: "",
    killedBy: lies,
  },
  {
    id: "answer-bounded",
    rule: "An answer is read to a limit",
    file: "src/integrations/github/transport/bounded-answer.ts",
    find: "if (left < 0) throw new AnswerTooLargeError();",
    replace: "",
    killedBy: lies,
  },
  {
    id: "pause-bounded",
    rule: "A pause that a provider asks for ends after an hour",
    file: errors,
    find: "Math.min(seconds * 1000, LONGEST_PAUSE_MS)",
    replace: "seconds * 1000",
    killedBy: lies,
  },
];
