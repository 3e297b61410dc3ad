/** Situation 71: a scope of the wrong type, or of no row. */
import { expect, it } from "vitest";
import { ConfigError } from "../../../src/config.ts";
import { resumeFitScopes } from "../../../src/runtime/safety/unfit-scope.ts";
import { TEST_TOKEN } from "../../../src/testing/test-tandem.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { keptLog, toldOf } from "../../harness/kept-log.ts";
import { givenSampleTandem, type SampleTandem } from "../../harness/sample-tandem.ts";

const PATH = 'records.tasks.sync["github.issue"].scope';

async function connecting(app: SampleTandem, scope: string): Promise<ConfigError> {
  app.github.createRepository({ owner: "acme", name: "shop" });
  const outcome: unknown = await app.tandem
    .connect({
      account: {
        name: "acme",
        integration: "github",
        credentials: { token: TEST_TOKEN, baseUrl: app.github.apiUrl },
      },
      container: "acme/shop",
      scope,
    })
    .catch((error: unknown) => error);
  if (outcome instanceof ConfigError) return outcome;
  throw new Error("it was connected", { cause: outcome });
}

async function connection(app: SampleTandem) {
  const [only] = (await app.status()).connections;
  return only;
}

describeOnOneDatabase("a scope that no record can have", (open) => {
  it.each([
    [
      "of another type",
      "site",
      "scope site does not fit tasks.project_id, which is of type bigint",
      "Connect the container to a value that tasks.project_id can have.",
    ],
    ["beyond the type", "9".repeat(30), "does not fit tasks.project_id", "Connect"],
    [
      "written otherwise",
      "01",
      "scope 01 is written 1 in tasks.project_id",
      "Connect the container to scope 1.",
    ],
    [
      "of no row",
      "7",
      "scope 7: tasks.project_id refers to projects, which has no row 7",
      "Create that row of projects, or connect the container to the scope of one that exists.",
    ],
  ])(
    "S71 %s is refused at connect, with path, cause and remedy",
    async (_, scope, cause, remedy) => {
      const app = await givenSampleTandem(await open());
      const refusal = await connecting(app, scope);
      expect(refusal).toMatchObject({ code: "scope_unfit", path: PATH });
      expect(refusal.message).toContain(cause);
      expect(refusal.hint).toContain(remedy);
      expect((await app.status()).connections).toHaveLength(1);
    },
  );

  it("S71 whose row is deleted later: the connection says so, what comes in waits, and goes on once the row is there", async () => {
    const { log, lines } = keptLog();
    const app = await givenSampleTandem(await open(), undefined, { log });
    await app.sql("delete from projects where id = 1");
    app.github.as("mona").openIssue(app.repo, { title: "Into nowhere" });
    await app.settle();
    expect(await connection(app)).toMatchObject({
      inbound: false,
      outbound: false,
      paused_reason:
        "scope_unfit: scope 1: tasks.project_id refers to projects, which has no row 1",
    });
    expect(await app.events()).toMatchObject([{ state: "disabled", reason: "connection_paused" }]);
    // As long as it takes, nothing is used up.
    await app.advance(24 * 3_600_000);
    expect(await resumeFitScopes(app.tandem.services)).toBe(0);
    await app.settle();
    expect((await app.story()).join()).not.toContain("errored");

    await app.sql("insert into projects (id, name) overriding system value values (1, 'Site')");
    expect(await resumeFitScopes(app.tandem.services)).toBe(1);
    expect(toldOf(lines, "a connection was switched on again because its scope fits")).toEqual([
      {
        connection: app.connection.id,
        container: app.repo,
        was: "scope_unfit: scope 1: tasks.project_id refers to projects, which has no row 1",
      },
    ]);
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Into nowhere", project_id: "1" });
    expect(await connection(app)).toMatchObject({
      inbound: true,
      outbound: true,
      paused_reason: null,
    });
  });

  it("S71 whose column has another type by now: the same, and a pause by a person stays one", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("update tandem.connections set scope = 'site'");
    app.github.as("mona").openIssue(app.repo, { title: "Of another type" });
    await app.settle();
    expect((await connection(app))?.paused_reason).toContain("does not fit tasks.project_id");
    await app.sql("update tandem.connections set scope = '1'");
    await app.tandem.pause(app.connection.id, "paused by hand");
    expect(await resumeFitScopes(app.tandem.services)).toBe(0);
    await app.tandem.enable(app.connection.id);
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Of another type" });
  });

  it("S71 a refusal that has another cause blames the record alone", async () => {
    const app = await givenSampleTandem(await open());
    await app.sql("alter table tasks add constraint short check (length(title) < 10)");
    app.github.as("mona").openIssue(app.repo, { title: "Longer than the table allows" });
    await app.settle();
    expect(await app.events()).toMatchObject([
      { state: "errored", error: { code: "check_violated" } },
    ]);
    expect(await connection(app)).toMatchObject({ inbound: true, paused_reason: null });
  });
});
