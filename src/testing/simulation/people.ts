/** Who is who in a history: people at GitHub, and the app's users, whom some of them become. */
import type { AppUser } from "./app-world.ts";
import { choose, type Deeds, type Stage } from "./stage.ts";

/** Mona has an account in the app; the others are placeholders there, until they sign up. */
const STRANGERS = ["stranger", "octocat", "hubot"];

export const SIGNING_UP: Deeds = [[7, signUp]];

/** Somebody at GitHub; in a world that stays there are two of them. */
export function somebody({ world, random }: Stage): string {
  const strangers = world.kind === "moving" ? STRANGERS : STRANGERS.slice(0, 1);
  return choose(["mona", ...strangers], random) ?? "mona";
}

/** A user who signed up; where there is but Mona, nothing is drawn for it. */
export async function someAuthor({ world, random }: Stage): Promise<string> {
  const users = world.kind === "moving" ? (await world.users()).filter(isSomebody) : [];
  return users.length < 2 ? "1" : (choose(users, random)?.id ?? "1");
}

/** A stranger signs up: with a row of their own, or with the placeholder's. */
async function signUp({ world, history, random }: Stage): Promise<void> {
  const users = await world.users();
  const known = users.filter(isSomebody).map(({ login }) => login?.toLowerCase());
  const login = choose(STRANGERS, random) ?? "stranger";
  const way = choose(["their own row", "a row beside it", "its row"] as const, random);
  if (known.includes(login) || way === undefined) return;
  const name = `${login}, at last`;
  const placeholder = users.find((user) => user.placeholder && user.login === login);
  if (placeholder === undefined) {
    history.tell(`app: ${login} signs up, whom nobody has seen`);
    await world.addUser(name, login);
    return;
  }
  history.tell(`app: ${login} signs up: ${way}, where there is a placeholder`);
  if (way === "its row") {
    await world.editUser(placeholder.id, { name, placeholder: false });
    history.turn("a placeholder's row became somebody's");
    return;
  }
  // The app's own rule minds the case, and GitHub does not.
  if (way === "their own row") await world.editUser(placeholder.id, { login: null });
  await world.addUser(name, way === "their own row" ? login : login.toUpperCase());
  history.turn("somebody signed up beside a placeholder");
}

function isSomebody({ login, placeholder }: AppUser): boolean {
  return !placeholder && login !== null;
}
