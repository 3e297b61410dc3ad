/** A webhook's settings in the simulated GitHub. */
import type { Instant } from "../../../model/instant.ts";
import type { Id } from "../world/index.ts";

export interface Hook {
  readonly id: Id;
  readonly url: string;
  readonly deliver: Receiver | null;
  readonly secret: string;
  readonly events: readonly string[];
  readonly repositoryId: Id | null;
  readonly createdAt: Instant;
}

/** Receives a request in process. Its body is passed too, so that observers need not read the request. */
export type Receiver = (request: Request, body: string) => Response | Promise<Response>;
