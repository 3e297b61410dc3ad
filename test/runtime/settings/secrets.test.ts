/** Secrets of accounts: which variables a row may name, and what is stored of a literal one. */
import { describe, expect, it } from "vitest";
import { openSealed, sealingKeys, sealText } from "../../../src/runtime/settings/sealing.ts";
import { accountSecrets, LiteralSecretError } from "../../../src/runtime/settings/secrets.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const NEXT_KEY = "fedcba9876543210fedcba9876543210";
const FIELDS = ["token", "privateKey"];

describe("a named secret", () => {
  const environment = {
    GITHUB_TOKEN: "ghp_1",
    WEBHOOK_SECRET: "hush",
    APP_KEY: "pem",
    DATABASE_URL: "postgres://user:password@db",
    AWS_SECRET_ACCESS_KEY: "aws",
    TANDEM_API_TOKEN: "api",
    TANDEM_ENCRYPTION_KEY: KEY,
  };
  const { reveal, seal, sealOne } = accountSecrets(environment, ["APP_KEY", "TANDEM_API_TOKEN"]);

  it("is put in the place of its name, wherever it is", () => {
    const given = { token: { env: "GITHUB_TOKEN" }, more: [{ env: "WEBHOOK_SECRET" }] };
    expect(reveal(given)).toEqual({ token: "ghp_1", more: ["hush"] });
    expect(reveal({ env: "APP_KEY" })).toBe("pem");
  });

  it.each(["GITHUB_ENTERPRISE_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN"])(
    "is read of a variable that GitHub's own tools read: %s",
    (env) => {
      const { reveal: revealIt } = accountSecrets({ [env]: "ghp_2" }, []);
      expect(revealIt({ token: { env } })).toEqual({ token: "ghp_2" });
    },
  );

  it.each(["DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "PATH", "MY_GITHUB_TOKEN", "github_token", ""])(
    "is not read of a variable that nothing allows: %j",
    (env) => {
      expect(() => reveal({ token: { env } })).toThrow(
        expect.objectContaining({ code: "secret_not_allowed" }) as Error,
      );
    },
  );

  it("is refused as it is stored, and not by the first webhook", () => {
    const refused = expect.objectContaining({
      code: "secret_not_allowed",
      message: "an account names the environment variable HOOK, which is not allowed",
      hint: 'Variables of accounts begin with GITHUB_, GH_, TANDEM_, WEBHOOK_ or HOOK_, or are listed: github({ env: ["HOOK"] }).',
    }) as Error;
    expect(() => sealOne({ env: "HOOK" }, "webhook secret")).toThrow(refused);
    expect(() => seal({ token: { env: "HOOK" } }, FIELDS)).toThrow(refused);
    // Another process may have it: whether it is set is of no matter here.
    expect(sealOne({ env: "HOOK_SECRET" }, "webhook secret")).toEqual({ env: "HOOK_SECRET" });
  });

  it.each(["TANDEM_API_TOKEN", "TANDEM_ENCRYPTION_KEY"])("is never Tandem's own: %s", (env) => {
    expect(() => reveal({ env })).toThrow(/not allowed/);
  });

  it("that is not set names its variable", () => {
    expect(() => reveal({ env: "GITHUB_OTHER" })).toThrow(
      expect.objectContaining({
        code: "missing_secret",
        message: "the environment variable GITHUB_OTHER is not set",
        hint: "Set GITHUB_OTHER where Tandem runs, or connect the account again.",
      }) as Error,
    );
  });
});

describe("a literal secret", () => {
  const { seal, sealOne, reveal } = accountSecrets({ TANDEM_ENCRYPTION_KEY: KEY }, []);

  it("is stored sealed, and nothing else of the credentials is", () => {
    const given = { token: "ghp_secret", baseUrl: "https://api.github.com" };
    const stored = seal(given, FIELDS);
    expect(JSON.stringify(stored)).not.toContain("ghp_secret");
    expect(stored).toMatchObject({ baseUrl: given.baseUrl });
    expect(reveal(stored)).toEqual(given);
    expect(reveal(sealOne("hush", "webhook secret"))).toBe("hush");
  });

  it("is another text each time", () => {
    expect(sealOne("hush", "x")).not.toEqual(sealOne("hush", "x"));
  });

  it("is refused without a key, or with one that is too short, and never quoted", () => {
    for (const environment of [{}, { TANDEM_ENCRYPTION_KEY: "short" }]) {
      const without = accountSecrets(environment, []);
      expect(() => without.seal({ token: "ghp_secret" }, FIELDS)).toThrow(LiteralSecretError);
      expect(() => without.sealOne("hush", "webhook secret")).toThrow(/webhook secret is given/);
      expect(() => without.seal({ token: "ghp_secret" }, FIELDS)).not.toThrow(/ghp_secret/);
      const named = { token: { env: "GITHUB_TOKEN" } };
      expect(without.seal(named, FIELDS)).toEqual(named);
    }
  });

  it("opens under an older key while the key is changed, and under no other", () => {
    const stored = sealOne("hush", "x");
    const rotated = accountSecrets({ TANDEM_ENCRYPTION_KEY: `${NEXT_KEY}, ${KEY}` }, []);
    expect(rotated.reveal(stored)).toBe("hush");
    expect(rotated.sealOne("hush", "x")).toMatchObject({
      sealed: expect.stringContaining(sealingKeys(NEXT_KEY)[0]?.id ?? "no key") as string,
    });
    const other = accountSecrets({ TANDEM_ENCRYPTION_KEY: NEXT_KEY }, []);
    expect(() => other.reveal(stored)).toThrow(
      expect.objectContaining({
        code: "secret_not_opened",
        message: "a stored secret cannot be decrypted with the keys in TANDEM_ENCRYPTION_KEY",
        hint: "Set TANDEM_ENCRYPTION_KEY to the key it was stored under (several are separated by commas), or connect the account again.",
      }) as Error,
    );
  });

  it("that was altered anywhere opens no more", () => {
    const keys = sealingKeys(KEY);
    const [key] = keys;
    if (key === undefined) throw new Error("there should be a key");
    const sealed = sealText("hush", key);
    const parts = sealed.split(".");
    for (const [at, part] of parts.entries()) {
      const altered = `${part.startsWith("A") ? "B" : "A"}${part.slice(1)}`;
      const text = parts.with(at, altered).join(".");
      expect(openSealed(text, keys)).toBe(null);
    }
    for (const torn of ["", "v1", "v1...", parts.slice(0, 4).join(".")]) {
      expect(openSealed(torn, keys)).toBe(null);
    }
    expect(openSealed(sealed, keys)).toBe("hush");
  });
});
