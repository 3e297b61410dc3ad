/** The protocol of one create with one rule taken away at a time; each is found out by a schedule. */
import type { Posted } from "../../../src/model/lane.ts";
import { at } from "../builders.ts";
import type { CreateWorld } from "./create-state.ts";
import { createRules, type CreateRules, identified } from "./create-world.ts";

export interface CreateMutant {
  readonly rule: string;
  readonly rules: CreateRules;
  /** A world in which it is found out. */
  readonly faults: number;
  readonly copies: number;
  readonly room: boolean;
  /** Default: the account. */
  readonly writers?: CreateWorld["writers"];
  /** Default: its author copies it as it is. */
  readonly reworded?: boolean;
  /** The violation that must be found; default: any. */
  readonly violation?: string;
}

export const createMutants: readonly CreateMutant[] = [
  {
    rule: "ours is what was written by our identity, not what carries the token",
    rules: {
      ...createRules,
      identify: (arrival, byId, byToken, identity) =>
        createRules.identify({ ...arrival, author: identity }, byId, byToken, identity),
    },
    faults: 0,
    copies: 1,
    room: true,
  },
  {
    rule: "ours and not bound is surplus, never a record",
    rules: {
      ...createRules,
      identify: (...given) => {
        const found = createRules.identify(...given);
        return found.kind === "surplus" ? { kind: "new", strippedToken: "t" } : found;
      },
    },
    faults: 2,
    copies: 0,
    room: true,
    violation: "a second record for our own resource",
  },
  {
    rule: "a person who acts as the account may copy what it wrote: the token alone proves nothing",
    rules: {
      ...createRules,
      closes: (world, number) => {
        const { kind } = identified(world, number, createRules.identify);
        return (
          kind === "surplus" || (kind === "new" && world.resources[number - 1]?.author === "hand")
        );
      },
    },
    faults: 0,
    copies: 1,
    room: true,
    violation: "a person's resource was closed",
  },
  {
    rule: "the sweep keeps the bound resource, not the one of the lowest number",
    rules: {
      ...createRules,
      closes: ({ resources }, number) => {
        const ours = ({ author, open }: CreateWorld["resources"][number]) =>
          open && author === "us";
        const self = resources[number - 1];
        return self !== undefined && ours(self) && resources.findIndex(ours) + 1 !== number;
      },
    },
    faults: 2,
    copies: 0,
    room: true,
  },
  {
    rule: "a resource that may be ours waits while a create without a token is open",
    rules: { ...createRules, waits: () => false },
    faults: 0,
    copies: 0,
    room: false,
  },
  {
    rule: "another person's resource never waits for a create of ours",
    rules: { ...createRules, waits: (lane) => createRules.waits(lane, { author: null }) },
    faults: 1,
    copies: 1,
    room: false,
    violation: "the record was paired with a person's copy",
  },
  {
    rule: "a lost create without a token is looked for by its content",
    rules: { ...createRules, finds: () => false },
    faults: 1,
    copies: 0,
    room: false,
  },
  {
    rule: "a resource that an author wrote under a token of their own is ours too",
    rules: { ...createRules, identify: withPosted((posted) => ({ ...posted, authors: [] })) },
    faults: 1,
    copies: 0,
    room: true,
    writers: "author",
    violation: "a second record for our own resource",
  },
  {
    rule: "a copy by the author's own hand is surplus only where a create of theirs was not seen",
    rules: { ...createRules, ...closing(leftOften(9)) },
    faults: 0,
    copies: 1,
    room: true,
    writers: "author",
    violation: "a person's resource was closed",
  },
  {
    rule: "... and only what was made shortly after it",
    rules: { ...createRules, ...closing((posted) => ({ ...posted, at: at(86_400) })) },
    faults: 2,
    copies: 1,
    room: true,
    writers: "author",
  },
  {
    rule: "... and only what says what it said",
    rules: {
      ...createRules,
      ...closing(
        (posted) => posted,
        (said, { authors }) => authors[0]?.said[0] ?? said,
      ),
    },
    faults: 1,
    copies: 1,
    room: true,
    writers: "author",
    reworded: true,
  },
  {
    rule: "a lost create of the author's is found although another account wrote it",
    rules: {
      ...createRules,
      finds: (world, resource) => resource.author === "us" && createRules.finds(world, resource),
      identify: withPosted(leftOften(1)),
    },
    faults: 1,
    copies: 0,
    room: true,
    writers: "author",
  },
];

/** As if so many creates of each author had left. */
function leftOften(times: number): (posted: Posted) => Posted {
  return (posted) => ({ ...posted, authors: posted.authors.map((one) => ({ ...one, times })) });
}

/** Identity that is told another thing of what has left, or of what it reads. */
function withPosted(
  change: (posted: Posted) => Posted,
  reads: (said: string, posted: Posted) => string = (said) => said,
): CreateRules["identify"] {
  return (arrival, byId, byToken, identity) => {
    const posted = byToken?.posted ?? null;
    if (byToken === null || posted === null) {
      return createRules.identify(arrival, byId, byToken, identity);
    }
    const read = { ...arrival, said: reads(arrival.said ?? "", posted) };
    return createRules.identify(read, byId, { ...byToken, posted: change(posted) }, identity);
  };
}

/** The same, with a sweep that goes by it. */
function closing(
  ...[change, reads]: Parameters<typeof withPosted>
): Pick<CreateRules, "identify" | "closes"> {
  const identify = withPosted(change, reads);
  return {
    identify,
    closes: (world, number) => identified(world, number, identify).kind === "surplus",
  };
}
