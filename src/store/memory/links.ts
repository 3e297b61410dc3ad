/** Placeholders as Tandem remembers them, and the links that give their records to users. */
import type { Placeholder } from "../../model/placeholder.ts";
import { storableValue } from "../database/index.ts";
import { type ActorRows, connectLink, findLinks, type PlaceholderRows } from "../rules/index.ts";
import type { IdentitySettings, Link, LinkStore } from "../store.ts";
import { type MemoryState, placeholderKeyOf, type Step } from "./tables/index.ts";

/** One transaction runs at a time, so nothing needs to be held. */
export function memoryPlaceholders(state: MemoryState, step: Step): PlaceholderRows {
  const { placeholders } = state;
  return {
    of: ({ name }, integration, logins) =>
      step(() =>
        placeholders
          .rows()
          .filter((one) => one.recordType === name && one.integration === integration)
          .filter(({ login }) => logins.includes(login))
          .sort((a, b) => (a.recordId < b.recordId ? -1 : 1)),
      ),
    add: ({ name }, placeholder: Placeholder) =>
      step(() => {
        const written = storableValue(placeholder.written);
        const made = { ...placeholder, written, recordType: name, linkedTo: null };
        placeholders.put(made);
      }),
    link: ({ name }, recordId, userId) =>
      step(() => {
        const placeholder = placeholders.get(placeholderKeyOf({ recordType: name, recordId }));
        if (placeholder === undefined) return;
        placeholders.put({ ...placeholder, linkedTo: userId });
      }),
  };
}

/** The links as one transaction sees them; without identities there are none. */
export function memoryLinks(
  state: MemoryState,
  rows: ActorRows,
  identities: IdentitySettings | undefined,
  step: Step,
): LinkStore {
  const { links } = state;
  return {
    find: async (ids) =>
      identities === undefined || ids.length === 0 ? [] : findLinks(rows, identities, ids),
    add: (added) =>
      step(() => {
        for (const link of added) {
          const known = links
            .rows()
            .find(
              ({ placeholderId, userId }) =>
                placeholderId === link.placeholderId && userId === link.userId,
            );
          const id = known?.id ?? state.count("link");
          const attempts = known?.attempts ?? 0;
          links.put({ ...link, id, attempts, connected: false, runAt: state.now() });
        }
      }),
    claim: (until) =>
      step(() => {
        const now = state.now();
        const [due] = links
          .rows()
          .filter(({ runAt }) => runAt <= now)
          .sort((a, b) => a.runAt - b.runAt || Number(a.id) - Number(b.id));
        if (due === undefined) return null;
        const { runAt: _, ...link } = due;
        const claimed: Link = { ...link, attempts: link.attempts + 1 };
        // Putting it off is the claim: should its worker die, another finds it due again.
        links.put({ ...claimed, runAt: until });
        return claimed;
      }),
    async connect(link, origin) {
      if (identities === undefined) return "outlived";
      const result = await connectLink(rows, identities, link, origin);
      const known = links.get(link.id);
      if (result === "connected" && known !== undefined) {
        links.put({ ...known, connected: true });
      }
      return result;
    },
    again: (id, runAt) =>
      step(() => {
        const link = links.get(id);
        if (link !== undefined) links.put({ ...link, runAt });
      }),
    done: (id) =>
      step(() => {
        links.delete(id);
      }),
  };
}
