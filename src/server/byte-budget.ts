/**
 * A budget of bytes that all requests under way share: a sender that is not known yet may not fill the
 * memory, nor may many together. Bytes are asked for before they are read. Part of it is kept for small
 * bodies: large ones that come slowly would else keep ordinary webhooks out.
 */

/** Ordinary webhooks are far below. */
const SMALL_BODY_BYTES = 2 ** 20;
const SHARE_FOR_SMALL_BODIES = 1 / 8;

export interface ByteBudget {
  /** For one request; what it holds is given back when it is released. */
  open(): ByteHold;
}

export interface ByteHold {
  /** @throws BudgetSpentError where there is no room for so many more. */
  add(bytes: number): void;
  release(): void;
}

/** Requests under way hold as much as there is room for. */
export class BudgetSpentError extends Error {
  override readonly name = "BudgetSpentError";
}

export function createByteBudget(limit: number): ByteBudget {
  let held = 0;
  return {
    open() {
      let own = 0;
      let released = false;
      return {
        add(bytes) {
          const isSmall = own + bytes <= SMALL_BODY_BYTES;
          const room = isSmall ? limit : limit * (1 - SHARE_FOR_SMALL_BODIES);
          if (released || held + bytes > room) {
            throw new BudgetSpentError(
              "the requests under way hold all the memory there is for them",
            );
          }
          own += bytes;
          held += bytes;
        },
        release() {
          released = true;
          held -= own;
          own = 0;
        },
      };
    },
  };
}
