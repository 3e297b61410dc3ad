/** Branded identifiers, so that a lane's id is never passed where an event's belongs. */
import type { Random } from "./clock.ts";
import { type Instant, MILLISECOND } from "./instant.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A UUIDv7: its text order is the order in which events were created. */
export type EventId = Branded<"EventId">;
/** A lane's id, which is also the id of its integration record; a Postgres bigint as text. */
export type LaneId = Branded<"LaneId">;
export type ConnectionId = Branded<"ConnectionId">;
export type AccountId = Branded<"AccountId">;
export type DeliveryId = Branded<"DeliveryId">;

/* Ids arrive as text from the database or a caller. Only these functions brand them. */
export const eventId = (text: string): EventId => text as EventId;
export const laneId = (text: string): LaneId => text as LaneId;
export const connectionId = (text: string): ConnectionId => text as ConnectionId;
export const accountId = (text: string): AccountId => text as AccountId;
export const deliveryId = (text: string): DeliveryId => text as DeliveryId;

/**
 * A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random bits.
 *
 * @example eventId(uuidv7(clock.now(), Math.random))
 */
export function uuidv7(now: Instant, random: Random): string {
  return composed(Math.floor(now / MILLISECOND), drawn(random, 0x1000), random);
}

/**
 * Makes ids that keep the order of the calls, also within one millisecond and if the clock steps back: the twelve
 * bits behind the version count up (RFC 9562, 6.2, method 1), and an overflow increments the millisecond.
 */
export function eventIds(random: Random): (now: Instant) => EventId {
  let last = 0;
  let counter = -1;
  return (now) => {
    const millis = Math.floor(now / MILLISECOND);
    if (millis > last) [last, counter] = [millis, 0];
    else if (counter < 0xfff) counter += 1;
    else [last, counter] = [last + 1, 0];
    return eventId(composed(last, counter, random));
  };
}

/** @param twelve the bits behind the version; the 62 behind the variant are random */
function composed(millis: number, twelve: number, random: Random): string {
  const time = hex(millis, 12);
  const variant = hex(0x8000 + drawn(random, 0x4000), 4);
  // Twice 24 bits: a source of randomness may have no more than 32 in a number.
  const node = hex(drawn(random, 0x1000000), 6) + hex(drawn(random, 0x1000000), 6);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(twelve, 3)}-${variant}-${node}`;
}

function drawn(random: Random, below: number): number {
  return Math.floor(random() * below);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
