/** The difference between two texts, without their common beginning and end. Pure. */

export interface Contrast {
  readonly head: string;
  readonly removed: string;
  readonly added: string;
  readonly tail: string;
}

/** Never splits a word, so that the changed part can be read. */
export function contrast(from: string, to: string): Contrast {
  const before = words(from);
  const after = words(to);
  const most = Math.min(before.length, after.length);
  let same = 0;
  while (same < most && before[same] === after[same]) same += 1;
  let end = 0;
  while (end < most - same && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return {
    head: before.slice(0, same).join(""),
    removed: before.slice(same, before.length - end).join(""),
    added: after.slice(same, after.length - end).join(""),
    tail: before.slice(before.length - end).join(""),
  };
}

function words(text: string): readonly string[] {
  return text.match(/\s+|[^\s]+/g) ?? [];
}

/** Shortens an unchanged stretch at one end, keeping whole characters that touch the change. */
export function excerpt(text: string, keep: "start" | "end", length = 60): string {
  const characters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  if (characters.length <= length) return text;
  return keep === "start"
    ? `${characters.slice(0, length).join("")}…`
    : `…${characters.slice(-length).join("")}`;
}
