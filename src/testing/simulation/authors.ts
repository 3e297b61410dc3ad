/** Who is named as an author: by the records, and above what was posted in somebody's place. */
import type { AppUser } from "./app-world.ts";
import { OUR_LOGINS, recordName, resourceName } from "./places.ts";
import type { Scene } from "./verdict.ts";

/** Who wrote a thing at GitHub, or `null` where nobody is named above it. */
const LINE = /^\*\*(.+)\*\* wrote: <!-- tandem-author -->/;

/** The name above a body, if there is one. */
export function nameAbove(body: string | null): string | null {
  return LINE.exec(body ?? "")?.[1] ?? null;
}

/** Records that name somebody else than who wrote them, and lines that do. */
export function misattributed(scene: Scene): readonly string[] {
  return [...wrongUsers(scene), ...wrongLines(scene), ...sameLogins(scene)];
}

function wrongUsers({ records, users, history }: Scene): readonly string[] {
  return [...records].flatMap(([name, { userId }]): readonly string[] => {
    const user = users.find(({ id }) => id === userId);
    const author = history.authors.get(name);
    if (author !== undefined && author !== userId) {
      return [`${name}: written by user ${author}, and it names ${userId ?? "nobody"}`];
    }
    if (user === undefined) return [`${name} names nobody`];
    // Its login is with who has signed up, and so are its records.
    if (user.placeholder && user.login === null) return [`${name} names a former placeholder`];
    return [];
  });
}

/** What we posted names its author, under a name that they have, or had before they signed up. */
function wrongLines({ ledger, places, records, resources, users }: Scene): readonly string[] {
  return ledger.lanes.flatMap((lane): readonly string[] => {
    const record = records.get(recordName(lane));
    const resource = resources.get(resourceName(lane, places));
    const line = resource?.nameAbove ?? null;
    if (lane.tombstone !== null || record === undefined || line === null) return [];
    const user = users.find(({ id }) => id === record.userId);
    const names = user === undefined ? [] : [user.name, user.login?.toLowerCase()];
    if (names.includes(line)) return [];
    return [`${resourceName(lane, places)} names ${line} above it, not ${names.join(" or ")}`];
  });
}

/** One row stands for each login, and none for ours where we wrote in a user's place. */
function sameLogins({ users, history, records }: Scene): readonly string[] {
  const seen = new Map<string, AppUser>();
  const found: string[] = [];
  for (const user of users) {
    const login = user.login?.toLowerCase() ?? "";
    const other = seen.get(login);
    if (login !== "" && other !== undefined) {
      found.push(`users ${other.id} and ${user.id} both have the login ${login}`);
    }
    seen.set(login, user);
  }
  for (const [name, { by }] of records) {
    if (by !== null && OUR_LOGINS.has(by) && history.authors.has(name)) {
      found.push(`${name} is taken for ours`);
    }
  }
  return found;
}
