/**
 * A budget of bytes that all current requests share: unknown senders must not fill the memory, one or many.
 * Bytes are reserved before they are read. A part is reserved for small bodies, because slow large bodies
 * would otherwise block ordinary webhooks.
 */

/** Ordinary webhooks are far smaller. */
const SMALL_BODY_BYTES = 2 ** 20;
const SHARE_FOR_SMALL_BODIES = 1 / 8;

export interface ByteBudget {
  /** Opens a reservation for one request; `release` frees its bytes. */
  open(): ByteHold;
}

export interface ByteHold {
  /** @throws BudgetSpentError if that many more bytes do not fit. */
  add(bytes: number): void;
  release(): void;
}

/** Current requests hold the whole budget. */
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
              "current requests use all memory that is reserved for request bodies",
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
