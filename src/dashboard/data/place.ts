/** The page's address names what is open beside the ledger, so that links and the back button work. Pure. */

export type PageView =
  | { readonly at: "ledger" }
  | { readonly at: "audit" }
  | { readonly at: "event"; readonly id: string }
  | { readonly at: "explain"; readonly type: string; readonly id: string };

export function readPlace(hash: string): PageView {
  if (hash === "#audit") return { at: "audit" };
  const [, at, first, second] = /^#(event|explain)\/([^/]+)(?:\/([^/]+))?$/.exec(hash) ?? [];
  if (at === "event" && first !== undefined) return { at, id: decoded(first) };
  if (at === "explain" && first !== undefined && second !== undefined) {
    return { at, type: decoded(first), id: decoded(second) };
  }
  return { at: "ledger" };
}

export function placeHash(place: PageView): string {
  switch (place.at) {
    case "ledger":
      return "#";
    case "audit":
      return "#audit";
    case "event":
      return `#event/${encodeURIComponent(place.id)}`;
    case "explain":
      return `#explain/${encodeURIComponent(place.type)}/${encodeURIComponent(place.id)}`;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A hand-written address with a stray percent sign is used literally.
    return text;
  }
}
