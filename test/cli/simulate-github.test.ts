/** `tandem simulate github`: a GitHub on a port, to be talked to like the real one. */
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { openTerminal } from "./terminal.ts";

const terminal = openTerminal({ cwd: tmpdir() });

it("serves a repository until it is interrupted, and says how to use it", async () => {
  const running = terminal.start(
    "simulate",
    "github",
    "--port=0",
    "--repository=octo/hello",
    "--webhook-url=http://127.0.0.1:1/webhooks/github",
    "--json",
  );
  const said = JSON.parse(await running.answered) as {
    url: string;
    tokens: { bot: string; mona: string };
  };
  expect(said).toEqual({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    repository: "octo/hello",
    tokens: { bot: expect.any(String), mona: expect.any(String) },
    webhook: { url: "http://127.0.0.1:1/webhooks/github", secret: "simulated-secret" },
  });
  const ask = (path: string, token: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${said.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });

  const who = await ask("/user", said.tokens.bot);
  expect(await who.json()).toMatchObject({ login: "tandem[bot]" });
  const opened = await ask("/repos/octo/hello/issues", said.tokens.mona, {
    method: "POST",
    body: JSON.stringify({ title: "Broken link" }),
  });
  expect(opened.status).toBe(201);

  running.interrupt();
  expect(await running.ended).toMatchObject({ code: 0, err: "" });
  await expect(ask("/user", said.tokens.bot)).rejects.toThrow("fetch failed");
});

it("tells people the commands to go on with", async () => {
  const running = terminal.start("simulate", "github", "--port", "0");
  const said = await running.answered;
  expect(said).toMatch(/\$ tandem connect github acme\/site --scope 1 --base-url http:\S+\n/);
  expect(said).toMatch(/\$ curl http:\S+\/repos\/acme\/site\/issues /);
  running.interrupt();
  expect((await running.ended).code).toBe(0);
});
