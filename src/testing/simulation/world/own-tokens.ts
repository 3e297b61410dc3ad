/** The app's hook `identities.token`, with the states that a user's own token can have. */
import type { TokenHook } from "../../../runtime/settings/index.ts";
import type { GitHubSimulator } from "../../github/index.ts";

/** The states of Mona's own token. The app returns it, unless it has none, fails, or does not answer. */
export const TOKEN_STANDINGS = [
  "there is none",
  "it works",
  "it may not label",
  "it may only read",
  "it is revoked",
  "the app fails",
  "the app hangs",
] as const;
export type TokenStanding = (typeof TOKEN_STANDINGS)[number];

const MONAS = "ghp_monas_own";

export class OwnTokens {
  #standing: TokenStanding = "there is none";
  /** Lets as much time pass as Tandem waits for the hook. */
  stall: () => Promise<void> = () => Promise.resolve();

  /** Starts a new history. */
  reset(): void {
    this.#standing = "there is none";
  }

  put(standing: TokenStanding, github: GitHubSimulator): void {
    this.#standing = standing;
    const login = "mona";
    if (standing === "it is revoked") github.revokeToken(MONAS);
    else if (standing === "it may only read") github.token(MONAS, { login, access: "read" });
    else github.token(MONAS, { login, push: standing !== "it may not label" });
  }

  /** The hook. */
  readonly give: TokenHook = async ({ user }) => {
    if (user.github_login !== "mona" || this.#standing === "there is none") return null;
    if (this.#standing === "the app fails") throw new Error("the vault is closed");
    if (this.#standing === "the app hangs") {
      await this.stall();
      return new Promise<never>(() => undefined);
    }
    return { token: MONAS };
  };
}
