/** The protocol of one create with one rule taken away at a time; each is found out by a schedule. */
import type { CreateWorld } from "./create-state.ts";
import { createRules, type CreateRules } from "./create-world.ts";

export interface CreateMutant {
  readonly rule: string;
  readonly rules: CreateRules;
  /** A world in which it is found out. */
  readonly faults: number;
  readonly copies: number;
  readonly room: boolean;
  /** What is wrong then, where only that will do. */
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
    rule: "what may be ours waits while a create without a token is open",
    rules: { ...createRules, waits: () => false },
    faults: 0,
    copies: 0,
    room: false,
  },
  {
    rule: "what another person wrote never waits for a create of ours",
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
];
