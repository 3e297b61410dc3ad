/**
 * Requests to one repository. Callers give a path below the repository, such as `/issues/5`.
 *
 * 1. By number, `/repositories/:id/...`, on a server that supports it, as GitHub does. Its redirects and
 *    page links use numbers too. So a rename changes nothing, and no request reaches another repository
 *    that has taken over a former name.
 * 2. By name, `/repos/:owner/:repo/...`, on other servers. The name must lead to the repository's id: it is
 *    looked up immediately before each write, and before a read at most once a minute.
 * 3. The first 404 of an account decides between the two; until then no name is looked up. "By name" is
 *    decided again every hour: after two wrong 404s a GitHub account must not pay a lookup per write forever.
 */
import type { Instant } from "../../model/instant.ts";
import { addMillis } from "../../model/instant.ts";
import type { Place } from "../../model/observation.ts";
import { type Container, IntegrationError, type Telemetry } from "../integration.ts";
import type { Api } from "./access/index.ts";
import {
  type Answer,
  issueShape,
  malformedAnswer,
  readAnswer,
  repositoryShape,
  requestIdOf,
  type UnsignedRequest,
} from "./transport/index.ts";

/** How old a looked-up name may be for a read. */
const NAME_TRUSTED_MS = 60_000;
/** How many redirects in a row are followed. A resource that was moved more often is found at a later sweep. */
const LONGEST_TRAIL = 5;

export class RepositoryApi {
  readonly #api: Api;
  readonly #id: string;
  readonly #tell: (telemetry: Telemetry) => void;
  #name: string;

  constructor(api: Api, container: Container, tell: (telemetry: Telemetry) => void) {
    this.#api = api;
    this.#id = container.id;
    this.#name = api.addressing.lookedUp.get(container.id)?.name ?? container.name;
    this.#tell = tell;
  }

  get name(): string {
    return this.#name;
  }

  /** Whether this server supports the documented paths only, and perhaps not all of them. */
  get isByName(): boolean {
    return this.#api.addressing.kindAt(this.now()) === "by_name";
  }

  now(): Instant {
    return this.#api.transport.now();
  }

  /** Sends a request whose `url` is a path below the repository; `""` is the repository itself. */
  async send(request: UnsignedRequest): Promise<Answer> {
    const { addressing } = this.#api;
    const kind = addressing.kindAt(this.now());
    if (kind === "by_name") return this.#sendByName(request);
    try {
      const answer = await this.#api.send({ ...request, url: this.#byNumber(request.url) });
      // A server may know repositories by number, but no addresses below them.
      if (request.url !== "") addressing.noteNumber();
      return answer;
    } catch (error) {
      if (kind !== "unknown" || !isNotFound(error)) throw error;
      if (!(await this.#hasNameOnly(request.signal))) throw error;
      return this.#sendByName(request);
    }
  }

  /**
   * The path below the repository, given an address from a response, such as that of the next page.
   *
   * @throws IntegrationError if the address leads to another host or another repository.
   */
  pathOf(address: string, answer: Answer | null): string {
    const href = address.startsWith("/") ? address : this.#api.ownAddress(address);
    const path = href.replace(this.#api.transport.baseUrl, "");
    const [, id, name, rest] =
      /^(?:\/repositories\/(\d+)|\/repos\/([^/]+\/[^/?]+))(\/.*)$/.exec(path) ?? [];
    if (rest !== undefined && (id === this.#id || isSameName(name, this.#name))) return rest;
    const facts = answer?.request ?? { method: "GET", path };
    throw malformedAnswer(facts, {
      problem: `its next page leads out of the repository, to ${address}`,
      status: answer?.status ?? 200,
      requestId: answer === null ? null : requestIdOf(answer),
    });
  }

  /**
   * The addresses to which the target of a redirect was moved on, one request each. `null`: the target is no issue.
   * GitHub redirects only users who may read the issue at its new address, and answers 404 to others. So a redirect
   * to nothing is wrong.
   */
  async movedOnFrom(
    target: Place,
    signal: AbortSignal | undefined,
  ): Promise<readonly Place[] | null> {
    const further: Place[] = [];
    let place = target;
    for (let reads = 0; reads < LONGEST_TRAIL; reads += 1) {
      const seen = await this.#lookAt(place, signal);
      if (seen === "nothing") return further.length === 0 ? null : further.slice(0, -1);
      if (seen === "there") return further;
      further.push(seen);
      place = seen;
    }
    return further;
  }

  /** Reads an address: an issue is there, or has moved on, or nothing is there. */
  async #lookAt(
    place: Place,
    signal: AbortSignal | undefined,
  ): Promise<"there" | "nothing" | Place> {
    const { containerId, externalId } = place;
    const url = `/repositories/${containerId}/issues/${externalId}`;
    try {
      const issue = readAnswer(issueShape, await this.#api.send({ method: "GET", url, signal }));
      return issue.number === externalId ? "there" : "nothing";
    } catch (error) {
      if (!(error instanceof IntegrationError) || error.kind === "rate_limited") throw error;
      if (error.moved !== null) return error.moved.to;
      return error.kind === "gone" ? "there" : "nothing";
    }
  }

  /** Records the repository's name from a response, and reports a new name to listeners. */
  noticeName(name: string, telemetry: Telemetry): void {
    if (name === this.#name) return;
    this.#name = name;
    this.#tell({ ...telemetry, containerId: this.#id, containerName: name });
  }

  async #sendByName(request: UnsignedRequest): Promise<Answer> {
    const lookedUp = this.#api.addressing.lookedUp.get(this.#id);
    const isKnown =
      request.method === "GET" &&
      lookedUp !== undefined &&
      this.now() < addMillis(lookedUp.at, NAME_TRUSTED_MS);
    const name = isKnown ? lookedUp.name : await this.#lookUpName(request.signal);
    try {
      return await this.#api.send({ ...request, url: `/repos/${name}${request.url}` });
    } catch (error) {
      // The name may have been given up since the lookup.
      if (isKnown) this.#api.addressing.lookedUp.delete(this.#id);
      throw error;
    }
  }

  /** Whether the server answers below the repository's name but not below its number. */
  async #hasNameOnly(signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await this.#api.send({ method: "GET", url: this.#byNumber("/issues?per_page=1"), signal });
      this.#api.addressing.noteNumber();
      return false;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    try {
      await this.#lookUpName(signal);
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
    this.#api.addressing.noteName(this.now());
    return true;
  }

  /**
   * The current name of the repository's id: the known name, the name it redirects to, or the one that the
   * server gives for the id.
   *
   * @throws IntegrationError `not_found` if no name leads to the id.
   */
  async #lookUpName(signal: AbortSignal | undefined): Promise<string> {
    const at = this.now();
    const { id, name, telemetry } =
      (await this.#identify(`/repos/${this.#name}`, signal)) ?? (await this.#identifyById(signal));
    this.#api.addressing.lookedUp.set(id, { name, at });
    this.noticeName(name, telemetry);
    return name;
  }

  /** The repository at an address; `null` if there is none, or another one. */
  async #identify(url: string, signal: AbortSignal | undefined) {
    try {
      const found = this.#readIdentity(await this.#api.follow(url, signal));
      return found.id === this.#id ? found : null;
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  async #identifyById(signal: AbortSignal | undefined) {
    const answer = await this.#api.follow(this.#byNumber(""), signal);
    const found = this.#readIdentity(answer);
    if (found.id === this.#id) return found;
    throw malformedAnswer(answer.request, {
      problem: `it is about repository ${found.id}, not ${this.#id}`,
      status: answer.status,
      requestId: requestIdOf(answer),
    });
  }

  #readIdentity(answer: Answer) {
    const { id, full_name: name } = readAnswer(repositoryShape, answer);
    return { id, name, telemetry: answer.telemetry };
  }

  #byNumber(path: string): string {
    return `/repositories/${encodeURIComponent(this.#id)}${path}`;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof IntegrationError && error.kind === "not_found";
}

/** GitHub's names are not case-sensitive. */
function isSameName(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}
