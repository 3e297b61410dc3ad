/** Deliveries: signed, late, dropped, doubled, out of order, held, and sent again by hand. */
import { verify } from "@octokit/webhooks-methods";
import { describe, expect, it } from "vitest";
import { setStage, SECRET, SITE, TOKEN, until } from "./stage.ts";

describe("a delivery", () => {
  it("leaves late, once, with GitHub's headers and a signature of the very bytes", async () => {
    const { clock, inbox, pass, sim } = setStage();
    sim.as("mona").openIssue("acme/site", { title: "Grüße 😀", body: "a\r\nb" });
    clock.advance(49);
    expect(inbox).toHaveLength(0);
    expect(sim.pendingDeliveries).toBe(1);
    await pass(1);
    const [only] = inbox;
    expect(inbox).toHaveLength(1);
    expect(only?.headers.get("x-github-event")).toBe("issues");
    expect(only?.guid).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(only?.headers.get("x-github-hook-id")).toBe(String(sim.deliveries[0]?.hookId));
    expect(only?.headers.get("content-type")).toBe("application/json");
    expect(only?.headers.get("user-agent")).toContain("GitHub-Hookshot/");
    const signature = only?.headers.get("x-hub-signature-256") ?? "";
    expect(await verify(SECRET, only?.body ?? "", signature)).toBe(true);
    expect(await verify("another secret", only?.body ?? "", signature)).toBe(false);
  });

  it("goes to the hooks that listen, and names the installation to the app's alone", async () => {
    const { inbox, pass, sim } = setStage();
    sim.createRepository({ owner: "acme", name: "shop" });
    sim.installApp("acme");
    const bodies: string[] = [];
    sim.addHook({
      secret: "s",
      repository: "acme/shop",
      events: ["issue_comment"],
      deliver: async (request) => {
        bodies.push(await request.text());
        return new Response();
      },
    });
    const mona = sim.as("mona");
    mona.openIssue("acme/site", { title: "Elsewhere" });
    mona.comment("acme/site", 1, "Elsewhere too.");
    mona.openIssue("acme/shop", { title: "Here, but no comment" });
    mona.comment("acme/shop", 1, "Here.");
    await pass(50);
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toMatchObject([
      { action: "created", comment: { body: "Here." } },
    ]);
    expect(bodies[0]).not.toContain('"installation"');
    expect(inbox.at(-1)?.payload).toHaveProperty("installation");
  });

  it("is not tried again when it fails, and says why", async () => {
    const { clock, sim } = setStage();
    const answers = [
      (): Response => new Response("no", { status: 500 }),
      (): Promise<Response> => new Promise(() => undefined),
      (): Response => {
        throw new Error("nobody there");
      },
    ];
    for (const deliver of answers) sim.addHook({ secret: "s", deliver });
    sim.as("mona").openIssue("acme/site", { title: "Told to four" });
    clock.advance(50);
    await until(() => sim.pendingDeliveries === 1);
    clock.advance(10_000);
    await sim.idle();
    expect(sim.deliveries.map(({ state, statusCode }) => [state, statusCode])).toEqual([
      ["delivered", 204],
      ["failed", 500],
      ["failed", 504],
      ["failed", 502],
    ]);
    clock.advance(3_600_000);
    expect(sim.deliveries).toHaveLength(4);
  });

  it("is sent again by hand, under the same GUID", async () => {
    const { ask, inbox, pass, sim } = setStage();
    sim.faults.webhooks.drop = 1;
    sim.as("mona").openIssue("acme/site", { title: "Lost" });
    await pass(50);
    expect(inbox).toHaveLength(0);
    const [lost] = sim.deliveries;
    expect(lost?.state).toBe("dropped");
    sim.redeliver(lost?.id ?? 0);
    await pass(50);
    const again = await ask("POST", `/app/hook/deliveries/${String(lost?.id)}/attempts`, {
      token: "e30.e30.c2ln",
    });
    expect(again.status).toBe(202);
    await pass(50);
    expect(inbox.map(({ guid }) => guid)).toEqual([lost?.guid, lost?.guid]);
    expect(sim.deliveries.map(({ attempt, redelivery }) => [attempt, redelivery])).toEqual([
      [1, false],
      [2, true],
      [3, true],
    ]);
  });

  it("leaves for a write whose answer was lost", async () => {
    const { inbox, pass, sim } = setStage();
    sim.faults.api.lostAnswer = { rate: 1, applied: true, as: "reset" };
    const answer = sim.fetch(`https://api.github.com${SITE}/issues`, {
      method: "POST",
      headers: { authorization: `token ${TOKEN}` },
      body: '{"title":"Written"}',
    });
    await expect(answer).rejects.toThrow("fetch failed");
    await pass(50);
    expect(inbox).toMatchObject([{ payload: { issue: { title: "Written" } } }]);
  });
});

describe("deliveries held back", () => {
  it("go out in the order a test chooses", async () => {
    const { inbox, pass, sim } = setStage();
    sim.faults.webhooks.hold = true;
    const mona = sim.as("mona");
    for (const title of ["A", "B", "A"]) {
      if (sim.issue("acme/site", 1) === undefined) mona.openIssue("acme/site", { title });
      else mona.editIssue("acme/site", 1, { title });
    }
    await pass(60_000);
    expect(inbox).toHaveLength(0);
    expect(sim.pendingDeliveries).toBe(0);
    const [first, second, third] = sim.deliveries.map(({ id }) => id);
    await sim.releaseDeliveries([third ?? 0, first ?? 0]);
    await sim.releaseDeliveries();
    expect(inbox.map(({ guid }) => guid)).toEqual(
      [third, first, second].map((id) => sim.deliveries.find((entry) => entry.id === id)?.guid),
    );
    await sim.releaseDeliveries();
    expect(inbox).toHaveLength(3);
  });
});

describe("seeded faults", () => {
  /** Sixty issues under drops, doubles and delays: the order in which their titles arrive. */
  async function tell(seed: number): Promise<string[]> {
    const { clock, inbox, pass, sim } = setStage({ seed });
    Object.assign(sim.faults.webhooks, { drop: 0.2, duplicate: 0.2, reorder: 0.3 });
    for (let n = 1; n <= 60; n += 1) {
      sim.as("mona").openIssue("acme/site", { title: String(n) });
      clock.advance(100);
    }
    await pass(10_000);
    return inbox.map(
      ({ guid, payload }) => `${guid} ${(payload.issue as { title: string }).title}`,
    );
  }

  it("drop, double and reorder; the same for the same seed", async () => {
    const story = await tell(3);
    expect(await tell(3)).toEqual(story);
    expect(await tell(4)).not.toEqual(story);
    const titles = story.map((line) => Number(line.split(" ")[1]));
    expect(new Set(titles).size).toBeLessThan(60);
    expect(new Set(story).size).toBeLessThan(story.length);
    expect(titles).not.toEqual([...titles].sort((a, b) => a - b));
  });

  it("do not change the fate of webhooks if they are the API's", async () => {
    const guids: string[][] = [];
    for (const errorRate of [0, 0.5]) {
      const { ask, inbox, pass, sim } = setStage({ seed: 5 });
      sim.faults.webhooks.drop = 0.5;
      sim.faults.api.errorRate = errorRate;
      for (let n = 1; n <= 20; n += 1) await ask("GET", SITE);
      for (let n = 1; n <= 20; n += 1) sim.as("mona").openIssue("acme/site", { title: String(n) });
      await pass(50);
      guids.push(inbox.map(({ guid }) => guid));
    }
    expect(guids[0]).toEqual(guids[1]);
    expect(guids[0]?.length).toBeLessThan(20);
  });
});
