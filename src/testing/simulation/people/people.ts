/** The people of a history: users at GitHub, and the app's users, which some of them become. */
import type { AppUser } from "../world/index.ts";
import { choose, type Deeds, type Stage } from "./stage.ts";

/** Mona has an account in the app; the others are placeholders there, until they sign up. */
const STRANGERS = ["stranger", "octocat", "hubot"];

export const SIGNING_UP: Deeds = [[7, signUp]];

/** A person at GitHub; a staying world has two of them. */
export function somebody({ world, random }: Stage): string {
  const strangers = world.kind === "moving" ? STRANGERS : STRANGERS.slice(0, 1);
  return choose(["mona", ...strangers], random) ?? "mona";
}

/** A user who signed up. If Mona is the only one, no number is drawn. */
export async function someAuthor({ world, random }: Stage): Promise<string> {
  const users = world.kind === "moving" ? (await world.users()).filter(isSomebody) : [];
  return users.length < 2 ? "1" : (choose(users, random)?.id ?? "1");
}

/** A stranger signs up, with a row of their own or with the placeholder's row. */
async function signUp({ world, history, random }: Stage): Promise<void> {
  const users = await world.users();
  const known = users.filter(isSomebody).map(({ login }) => login?.toLowerCase());
  const login = choose(STRANGERS, random) ?? "stranger";
  const way = choose(["their own row", "a row beside it", "its row"] as const, random);
  if (known.includes(login) || way === undefined) return;
  const name = `${login}, at last`;
  const placeholder = users.find((user) => user.placeholder && user.login === login);
  if (placeholder === undefined) {
    history.tell(`app: ${login} signs up, without a placeholder`);
    await world.addUser(name, login);
    return;
  }
  history.tell(`app: ${login} signs up: ${way}, with a placeholder`);
  if (way === "its row") {
    await world.editUser(placeholder.id, { name, placeholder: false });
    history.turn("a user signed up with a placeholder's row");
    return;
  }
  // The app's own constraint is case-sensitive, and GitHub is not.
  if (way === "their own row") await world.editUser(placeholder.id, { login: null });
  await world.addUser(name, way === "their own row" ? login : login.toUpperCase());
  history.turn("a user signed up beside a placeholder");
}

function isSomebody({ login, placeholder }: AppUser): boolean {
  return !placeholder && login !== null;
}
