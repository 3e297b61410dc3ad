/** A webhook as the simulated GitHub keeps it. */
import type { Instant } from "../../model/instant.ts";
import type { Id } from "./identifiers.ts";

export interface Hook {
  readonly id: Id;
  readonly url: string;
  readonly deliver: Receiver | null;
  readonly secret: string;
  readonly events: readonly string[];
  readonly repositoryId: Id | null;
  readonly createdAt: Instant;
}

/** Receives a request in process; its body is handed over beside it, for those who only look. */
export type Receiver = (request: Request, body: string) => Response | Promise<Response>;
