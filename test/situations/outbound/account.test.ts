/** Situations 30 and 31: the account may not, or not now. Its events wait, and nobody else's. */
import { expect, it } from "vitest";
import { addMillis, formatInstant } from "../../../src/model/instant.ts";
import { TEST_LOGIN } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";
import { givenTwoAccounts, SHOP } from "../../harness/two-accounts.ts";

const POST_ISSUE = { method: "POST", path: /\/issues$/ };

async function accountStates(app: SampleTandem) {
  return Object.fromEntries(
    (await app.status()).accounts.map(({ name, state, paused_until }) => [
      name,
      { state, paused_until },
    ]),
  );
}

function inSeconds(app: SampleTandem, seconds: number): string {
  return formatInstant(addMillis(app.clock.now(), seconds * 1_000));
}

const ACTIVE = { state: "active", paused_until: null };

describeOnOneDatabase("an account that may not", (open) => {
  it("S30 401: the connection needs attention, its events wait, others run", async () => {
    const app = await givenTwoAccounts(await open());
    app.github.revokeToken("ghs_test");
    const site = await app.addTask({ title: "For the site" });
    const more = await app.addTask({ title: "More for the site" });
    const shop = await app.addTask({ title: "For the shop", project_id: "2" });
    const until = inSeconds(app, 60);
    await app.tandem.settle();

    expect(await accountStates(app)).toEqual({
      acme: { state: "needs_attention", paused_until: until },
      globex: ACTIVE,
    });
    expect(await app.events(`record=tasks:${site}`)).toMatchObject([
      {
        state: "queued",
        reason: "account_paused",
        attempts: 0,
        run_at: until,
        error: { code: "bad_credentials", httpStatus: 401 },
      },
    ]);
    expect(await app.events(`record=tasks:${more}`)).toMatchObject([
      { state: "queued", reason: "account_paused", attempts: 0, run_at: until },
    ]);
    expect(app.github.issues(SHOP)).toMatchObject([{ number: 1, title: "For the shop" }]);
    expect(await app.story(`record=tasks:${shop}`)).toEqual([
      "outbound completed created_resource",
    ]);
    // One was refused for the account; the other account's was served.
    expect(app.writes()).toBe(2);

    await app.advance(59_000);
    await app.settle();
    expect(app.writes()).toBe(2);
    await app.advance(1_000);
    await app.settle();
    expect(app.writes()).toBe(3);

    app.github.token("ghs_test", { login: TEST_LOGIN });
    await app.settleWithin(2);
    expect(await accountStates(app)).toEqual({ acme: ACTIVE, globex: ACTIVE });
    expect(app.github.issues(app.repo).map(({ title }) => title)).toEqual([
      "For the site",
      "More for the site",
    ]);
    expect(await app.tasks()).toHaveLength(3);
    expect(await app.events(`record=tasks:${site}`)).toMatchObject([
      { state: "completed", reason: "created_resource", attempts: 1, error: null },
      { state: "duplicate", reason: "same_content" },
    ]);
    expect(app.writes()).toBe(5);
    expect(app.reads()).toBe(0);
  });

  it("S31 secondary limit with retry-after: paused until then, no attempt burnt", async () => {
    const app = await givenTwoAccounts(await open());
    app.github.failNext({ ...POST_ISSUE, with: "secondary-limit", retryAfterSeconds: 90 });
    const site = await app.addTask({ title: "For the site" });
    const more = await app.addTask({ title: "More for the site" });
    const shop = await app.addTask({ title: "For the shop", project_id: "2" });
    const until = inSeconds(app, 90);
    await app.tandem.settle();

    expect(await accountStates(app)).toEqual({
      acme: { state: "paused", paused_until: until },
      globex: ACTIVE,
    });
    expect(await app.events(`record=tasks:${site}`)).toMatchObject([
      {
        state: "queued",
        reason: "account_paused",
        attempts: 0,
        run_at: until,
        error: { code: "rate_limited", httpStatus: 403 },
      },
    ]);
    expect(await app.events(`record=tasks:${more}`)).toMatchObject([
      { state: "queued", reason: "account_paused", attempts: 0, run_at: until },
    ]);
    expect(await app.story(`record=tasks:${shop}`)).toEqual([
      "outbound completed created_resource",
    ]);
    expect(app.writes()).toBe(2);

    const late = await app.addTask({ title: "Written meanwhile" });
    await app.advance(89_000);
    await app.settle();
    expect(await app.story(`record=tasks:${late}`)).toEqual(["outbound queued account_paused"]);
    expect(app.writes()).toBe(2);

    await app.advance(1_000);
    await app.settle();
    expect(app.github.issues(app.repo)).toHaveLength(3);
    expect(await accountStates(app)).toEqual({ acme: ACTIVE, globex: ACTIVE });
    expect(await app.events(`record=tasks:${site}`)).toMatchObject([
      { state: "completed", reason: "created_resource", attempts: 1, error: null },
      { state: "duplicate", reason: "same_content" },
    ]);
    expect(app.writes()).toBe(5);
    expect(app.reads()).toBe(0);
  });

  it("S31 429: the same", async () => {
    const app = await givenSampleTandem(await open());
    app.github.faults.api.secondaryLimit = { retryAfterSeconds: 30, status: 429 };
    const id = await app.addTask({ title: "For the site" });
    const until = inSeconds(app, 30);
    await app.tandem.settle();
    expect(await accountStates(app)).toEqual({ acme: { state: "paused", paused_until: until } });
    expect(await app.events()).toMatchObject([
      {
        state: "queued",
        reason: "account_paused",
        attempts: 0,
        run_at: until,
        error: { code: "rate_limited", httpStatus: 429 },
      },
    ]);

    app.github.clearFaults();
    await app.advance(30_000);
    await app.settle();
    expect(await app.tasks()).toMatchObject([{ id, title: "For the site" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "For the site" }]);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(2);
  });

  it("S31 nothing remaining of the hour's budget: paused until the budget is reset", async () => {
    const app = await givenSampleTandem(await open());
    app.github.setRateLimit(TEST_LOGIN, 1, 600);
    const first = await app.addTask({ title: "The last one" });
    const second = await app.addTask({ title: "One too many" });
    const until = inSeconds(app, 600);
    await app.tandem.settle();
    expect(await app.story(`record=tasks:${first}`)).toEqual([
      "outbound completed created_resource",
    ]);
    expect(await accountStates(app)).toEqual({ acme: { state: "paused", paused_until: until } });
    expect(await app.events(`record=tasks:${second}`)).toMatchObject([
      { state: "queued", reason: "account_paused", attempts: 0, run_at: until },
    ]);

    await app.advance(599_000);
    await app.settle();
    expect(app.writes()).toBe(2);
    await app.advance(1_000);
    await app.settle();
    expect(app.github.issues(app.repo)).toHaveLength(2);
    expect(await accountStates(app)).toEqual({ acme: ACTIVE });
    expect(app.writes()).toBe(3);
  });

  it("S31 what answers tell of budget and clock is kept, and not written with each of them", async () => {
    const app = await givenSampleTandem(await open());
    app.github.setRateLimit(TEST_LOGIN, 5_000, 600);
    const writes = async () =>
      (
        await app.sql<{ written: string }>("select count(*)::text as written from account_writes")
      )[0];
    await app.sql(`
      create table account_writes (at timestamptz);
      create function note_write() returns trigger language plpgsql as
        $$ begin insert into account_writes values (now()); return new; end $$;
      create trigger note_write before update on tandem.accounts
        for each row execute function note_write();`);
    const id = await app.addTask({ title: "Edit 0" });
    await app.settle();
    const before = await writes();
    for (let edit = 1; edit <= 5; edit += 1) {
      await app.editTask(id, { title: `Edit ${String(edit)}` });
      await app.settle();
    }
    expect(app.writes()).toBe(6);
    expect(await writes()).toEqual(before);
  });

  it("S31 a budget that could not be written is written with the next answer that tells of it", async () => {
    const app = await givenSampleTandem(await open());
    const written = async () =>
      (await app.sql<{ left: number }>("select rate_remaining as left from tandem.accounts"))[0];
    const before = await written();
    app.github.setRateLimit(TEST_LOGIN, 4_000, 600);
    await app.sql(`
      create function full_disk() returns trigger language plpgsql as
        $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
      create trigger full_disk before update of rate_remaining on tandem.accounts
        for each row execute function full_disk();`);
    const id = await app.addTask({ title: "For the site" });
    await app.settle();
    expect(await written()).toEqual(before);

    await app.sql("drop trigger full_disk on tandem.accounts");
    await app.editTask(id, { title: "For the site, edited" });
    await app.settle();
    await expect.poll(written).toEqual({ left: 3_998 });
  });

  it("S31 a limit met while reading pauses the account as well", async () => {
    const app = await givenSampleTandem(await open());
    app.github.failNext({ ...POST_ISSUE, with: "lost-answer", applied: false });
    app.github.failNext({ method: "GET", with: "rate-limit" });
    const id = await app.addTask({ title: "For the site" });
    await app.settleWithin(1);
    expect(await accountStates(app)).toMatchObject({ acme: { state: "paused" } });
    expect(await app.events()).toMatchObject([
      { state: "queued", reason: "account_paused", attempts: 1 },
    ]);
    await app.settleWithin(61);

    expect(await app.tasks()).toMatchObject([{ id, title: "For the site" }]);
    expect(app.github.issues(app.repo)).toMatchObject([{ title: "For the site" }]);
    expect(await app.story()).toEqual([
      "outbound completed created_resource",
      "inbound duplicate same_content",
    ]);
    expect(app.writes()).toBe(2);
    expect(app.reads()).toBe(2);
  });
});
