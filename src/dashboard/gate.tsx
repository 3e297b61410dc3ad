/** The login: a server with a token asks for it before it shows anything. */
import { useEffect, useState } from "preact/hooks";
import { DashboardApp } from "./app.tsx";
import { Logo } from "./elements/index.ts";
import { get, isLocked, RequestError, send } from "./data/index.ts";

export function Gate() {
  const [door, setDoor] = useState<"asked" | "open" | "locked">("asked");
  useEffect(() => {
    get("/api/status").then(
      () => setDoor("open"),
      // The page itself shows all other errors.
      (error: unknown) => setDoor(isLocked(error) ? "locked" : "open"),
    );
  }, []);
  if (door === "asked") return null;
  return door === "open" ? (
    <DashboardApp locked={() => setDoor("locked")} />
  ) : (
    <Login entered={() => setDoor("open")} />
  );
}

function Login({ entered }: { readonly entered: () => void }) {
  const [token, setToken] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const enter = (event: Event): void => {
    event.preventDefault();
    send("POST", "/api/login", { token }).then(entered, (error: unknown) => {
      const { message, hint } =
        error instanceof RequestError ? error : { message: String(error), hint: "" };
      setRefusal(`${message}: ${hint}`);
    });
  };
  return (
    <main class="login">
      <form onSubmit={enter}>
        <h1 class="brand">
          <Logo /> Tandem
        </h1>
        <label>
          API token
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Log in
        </button>
        <p class="faint">The token is the value of TANDEM_API_TOKEN in the server's environment.</p>
        {refusal === null ? null : (
          <p class="refusal" role="alert">
            {refusal}
          </p>
        )}
      </form>
    </main>
  );
}
