/** Checks the named authors: those of records, and those in the lines above posted texts. */
import type { Lane } from "../../../model/lane.ts";
import { type AppUser, OUR_LOGINS, thingOfRecord, thingOfResource } from "../world/index.ts";
import { tokenIn } from "../history/index.ts";
import type { Scene, Thing } from "./scene.ts";

/** The line that names the author of a text at GitHub. */
const LINE = /^\*\*(.+)\*\* wrote: <!-- tandem-author -->/;

/** The marks of authorship in a body: the name above it, and the token of its create, if it has them. */
export function signsOf(body: string | null): Pick<Thing, "nameAbove" | "token"> {
  return { nameAbove: LINE.exec(body ?? "")?.[1] ?? null, token: tokenIn(body) };
}

/** Records and lines that name another author than the real one. */
export function misattributed(scene: Scene): readonly string[] {
  return [...wrongUsers(scene), ...wrongLines(scene), ...sameLogins(scene)];
}

function wrongUsers({ records, users, history }: Scene): readonly string[] {
  return [...records].flatMap(([name, { userId }]): readonly string[] => {
    const user = users.find(({ id }) => id === userId);
    const author = history.authors.get(name);
    if (author !== undefined && author !== userId) {
      return [`${name}: written by user ${author}, and it names ${userId ?? "no user"}`];
    }
    if (user === undefined) return [`${name} names an unknown user`];
    // The user who signed up has the placeholder's login, and so must have its records.
    if (user.placeholder && user.login === null) return [`${name} names a former placeholder`];
    return [];
  });
}

/** Each line above a posted text must name its author, by a present name or one from before the sign-up. */
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
 * The lane for whose create a resource was made. A resource that went out of reach, or that its record has
 * left, can be paired with a new record. That record's author is the account, but the line keeps naming the
 * first author.
 */
function postedFor(lane: Lane, token: string | null, { lanes }: Scene["ledger"]): Lane {
  if (lane.intent !== null) return lane;
  const first = lanes.find(({ intent }) => intent !== null && intent.token === token);
  return first === undefined || first.tombstone === null ? lane : first;
}

/** Each login has one user. The account has none if Tandem posted in a user's place. */
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
