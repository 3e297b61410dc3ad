/** Who is named as an author: by the records, and above what was posted in somebody's place. */
import type { Lane } from "../../model/lane.ts";
import type { AppUser } from "./app-world.ts";
import { tokenIn } from "./history.ts";
import { OUR_LOGINS, thingOfRecord, thingOfResource } from "./places.ts";
import type { Scene, Thing } from "./scene.ts";

/** Who wrote a thing at GitHub, or `null` where nobody is named above it. */
const LINE = /^\*\*(.+)\*\* wrote: <!-- tandem-author -->/;

/** What a body says of who wrote it: the name above it, and the token of its create, if there are any. */
export function signsOf(body: string | null): Pick<Thing, "nameAbove" | "token"> {
  return { nameAbove: LINE.exec(body ?? "")?.[1] ?? null, token: tokenIn(body) };
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
function wrongLines({
  ledger,
  places,
  records,
  resources,
  users,
  history,
}: Scene): readonly string[] {
  return ledger.lanes.flatMap((lane): readonly string[] => {
    const record = records.get(thingOfRecord(lane));
    const resource = resources.get(thingOfResource(lane, places));
    const line = resource?.nameAbove ?? null;
    if (lane.tombstone !== null || record === undefined || line === null) return [];
    const writer = thingOfRecord(postedFor(lane, resource?.token ?? null, ledger));
    const author = records.has(writer) ? records.get(writer)?.userId : history.authors.get(writer);
    const user = users.find(({ id }) => id === author);
    const names = user === undefined ? [] : [user.name, user.login?.toLowerCase()];
    if (names.includes(line)) return [];
    return [`${thingOfResource(lane, places)} names ${line} above it, not ${names.join(" or ")}`];
  });
}

/**
 * The lane that a resource was made for. Another record may be made of what went out of reach, or of what its
 * own has left: that one is taken for ours, and the line says still who wrote it.
 */
function postedFor(lane: Lane, token: string | null, { lanes }: Scene["ledger"]): Lane {
  if (lane.intent !== null) return lane;
  const first = lanes.find(({ intent }) => intent !== null && intent.token === token);
  return first === undefined || first.tombstone === null ? lane : first;
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
