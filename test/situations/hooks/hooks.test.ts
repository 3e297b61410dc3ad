/** Hooks: where a mapping's columns are not enough, the app's own code takes part. */
import type pg from "pg";
import { expect, it } from "vitest";
import { ValidationError } from "../../../src/runtime/settings/hooks.ts";
import { describeOnOneDatabase } from "../../harness/databases.ts";
import { saveAsAnOrm as save, withHooks } from "../../harness/sample-hooks.ts";
import { givenSampleTandem } from "../../harness/sample-tandem.ts";

describeOnOneDatabase("defaults and derive", (open, kind) => {
  it("fill what no field carries, from what the resource says, and only once", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        defaults: ({ title }, { source }) => ({
          position: title?.length,
          created_at: source === "webhook" ? "2001-06-01 00:00:00Z" : "1999-06-01 00:00:00Z",
        }),
      }),
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Seven!!", body: "" });
    await app.settle();
    const seen = "select position::int, extract(year from created_at)::int as year from tasks";
    expect(await app.sql(seen)).toEqual([{ position: 7, year: 2001 }]);

    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Longer by far" });
    await app.settle();
    expect(await app.sql(seen)).toEqual([{ position: 7, year: 2001 }]);
  });

  it("write rendered text beside the text, and never send it", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({ derive: (row) => ({ html: `<p>${String(row.markdown)}</p>` }) }),
    );
    await app.sql("alter table tasks add column html text");
    const html = async () => (await app.sql<{ html: string }>("select html from tasks"))[0]?.html;
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Page", body: "one" });
    await app.settle();
    expect(await html()).toBe("<p>one</p>");

    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { body: "two" });
    await app.settle();
    expect(await html()).toBe("<p>two</p>");
    expect(app.writes()).toBe(0);
    expect(await app.story("direction=outbound")).toEqual([]);
  });

  it("may not write what the mapping writes", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({ derive: () => ({ title: "mine" }) }),
    );
    app.github.as("mona").openIssue(app.repo, { title: "Page" });
    await app.settle();
    const [event] = await app.events();
    expect(event).toMatchObject({
      state: "errored",
      error: {
        code: "hook_failed",
        message: "the mapping's derive of tasks gave title, which the mapping itself writes",
        hint: "Derive other columns only; a mapped one belongs into its field's toRecord.",
      },
    });
    expect(await app.tasks()).toEqual([]);
  });

  it.runIf(kind === "postgres")("say which of them threw, and what", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        derive: () => {
          throw new TypeError("render is not a function");
        },
      }),
    );
    app.github.as("mona").openIssue(app.repo, { title: "Page" });
    await app.settle();
    expect((await app.events())[0]?.error).toMatchObject({
      code: "hook_failed",
      message: "the mapping's derive of tasks threw: render is not a function",
      hint: "Correct derive in tandem.config.ts, then restart the event.",
      retryable: false,
    });
  });
});

describeOnOneDatabase("apply", (open, kind) => {
  it("takes the place of our SQL for every operation, and its writes are ours", async () => {
    const seen: unknown[] = [];
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        onResourceDeleted: "delete",
        apply: async (tx, operation) => {
          const { op, row, event } = operation;
          seen.push([op, row?.title, event.source]);
          return save(tx, operation);
        },
      }),
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "One", body: "text" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "One", markdown: "text", owner_id: "1" });
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Two" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Two" });
    await app.advance(5_000);
    app.github.as("mona").deleteIssue(app.repo, 1);
    await app.settle();

    expect(await app.tasks()).toEqual([]);
    expect(seen).toEqual([
      ["insert", undefined, "webhook"],
      ["update", "One", "webhook"],
      ["delete", "Two", "webhook"],
    ]);
    expect(app.writes()).toBe(0);
    expect(await app.story()).toEqual([
      "inbound completed created_record",
      "inbound completed updated_record",
      "inbound completed deleted_record",
    ]);
  });

  it("writes through a client of the app's own choice, in our transaction", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        apply: async (tx, operation) => {
          if (operation.op !== "insert") return undefined;
          const client = tx.client as Pick<pg.PoolClient, "query">;
          const { title, project_id: project } = operation.patch;
          const { rows } = await client.query<{ id: number }>(
            "insert into tasks (title, project_id) values (upper($1), $2) returning id::int",
            [title, project],
          );
          return rows[0]?.id;
        },
      }),
    );
    app.github.as("mona").openIssue(app.repo, { title: "quiet" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "QUIET" });
    // The title that the app's code made differs from the resource, so the resource follows.
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "QUIET" });
    expect(await app.tasks()).toHaveLength(1);
  });

  it.runIf(kind === "postgres").each([
    [
      "throws what is no refusal",
      () => Promise.reject(new TypeError("orm is undefined")),
      {
        message: "the mapping's apply of tasks threw: orm is undefined",
        hint: "Correct apply in tandem.config.ts, then restart the event.",
      },
    ],
    [
      "throws a text",

      () => Promise.reject("no orm"),
      {
        message: "the mapping's apply of tasks threw: no orm",
        hint: "Correct apply in tandem.config.ts, then restart the event.",
      },
    ],
    [
      "returns no key of what it inserted",
      async (...[tx, operation]: Parameters<typeof save>) => {
        await save(tx, operation);
        return undefined;
      },
      {
        message: "the mapping's apply returned no key from an insert into tasks",
        hint: "Return the new row's id.",
      },
    ],
    [
      "returns the key of a row that is not there",
      () => Promise.resolve("4711"),
      {
        message: "the mapping's apply wrote no row 4711 of tasks (insert)",
        hint: "It must write with the tx it is given, and return the new row's key from an insert.",
      },
    ],
  ])(
    "that %s is named by the event, with how to mend it, and leaves no row",
    async (_, apply, told) => {
      const app = await givenSampleTandem(await open(), withHooks({ apply }));
      app.github.as("mona").openIssue(app.repo, { title: "One" });
      await app.settle();
      expect((await app.events())[0]).toMatchObject({
        state: "errored",
        attempts: 1,
        error: { code: "hook_failed", ...told, retryable: false },
      });
      expect(await app.tasks()).toEqual([]);
    },
  );

  it("refuses with a message that the event shows, at once, and writes nothing", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        apply: async (tx, operation) => {
          const id = await save(tx, operation);
          if (operation.patch.title === "Forbidden") {
            throw new ValidationError("That title is taken by the board; choose another.");
          }
          return id;
        },
      }),
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Allowed" });
    await app.settle();
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Forbidden" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Allowed" });
    const event = (await app.events()).at(-1);
    expect(event).toMatchObject({
      state: "errored",
      reason: "failed",
      attempts: 1,
      error: {
        code: "validation_failed",
        hint: "That title is taken by the board; choose another.",
        retryable: false,
      },
    });
    // Its poison stays with it: another edit goes through.
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Better" });
    await app.settle();
    expect(await app.task()).toMatchObject({ title: "Better" });
  });

  it("may say that the record is newer: the event is ignored for it, and the resource follows", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        apply: async (tx, operation) => {
          const id = await save(tx, operation);
          if (operation.op === "update") throw new ValidationError("record_is_newer");
          return id;
        },
      }),
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Ours", body: "" });
    await app.settle();
    const { id } = await app.task();
    await app.advance(5_000);
    mona.editIssue(app.repo, 1, { title: "Theirs" });
    await app.settle();

    expect(await app.task()).toMatchObject({ title: "Ours" });
    const ignored = (await app.events("state=ignored"))[0];
    expect(ignored).toMatchObject({
      reason: "record_is_newer",
      ignored_for_type: "tasks",
      ignored_for_id: id,
      conflicts: [{ field: "title", winner: "record", kept: "Ours", lost: "Theirs" }],
    });
    expect(app.github.issue(app.repo, 1)).toMatchObject({ title: "Ours" });
    expect((await app.pairings(id))[0]).toMatchObject({ in_sync: true });
  });

  it("that lets a refused statement pass ends the event with what to do", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        apply: async (tx, operation) => {
          await tx.query("insert into tasks (title) values (null)").catch(() => []);
          return save(tx, operation).catch(() => "1");
        },
      }),
    );
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.settle();
    expect((await app.events())[0]).toMatchObject({
      state: "errored",
      error: {
        code: "error_swallowed",
        message: "a statement of the app's code failed, and the code went on",
      },
    });
    expect(await app.tasks()).toEqual([]);
  });

  it("is refused by the table as our SQL is, however its ORM wraps the error", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        apply: async (tx) => {
          try {
            await tx.query("insert into tasks (project_id, title) values (1, '')");
          } catch (cause) {
            throw new Error("Failed query: insert ...", { cause });
          }
          return undefined;
        },
      }),
    );
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.settle();
    expect((await app.events())[0]?.error).toMatchObject({ code: "check_violated" });
  });

  it.runIf(kind === "postgres")("that ends our transaction is told not to", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        apply: async (tx, operation) => {
          const id = await save(tx, operation);
          await tx.query("commit");
          return id;
        },
      }),
    );
    app.github.as("mona").openIssue(app.repo, { title: "One" });
    await app.settle();
    expect((await app.events())[0]).toMatchObject({
      state: "errored",
      error: { code: "transaction_ended" },
    });
  });

  it("may keep what its resource's deletion should remove: the pairing has ended all the same", async () => {
    const heard: string[] = [];
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        onResourceDeleted: "delete",
        apply: async (tx, operation) => {
          const { op, row } = operation;
          if (op !== "delete") return save(tx, operation);
          await tx.query("update tasks set status = 'done' where id = $1", [row.id]);
          return undefined;
        },
        afterCommit: ({ op, row }) => void heard.push(`${op} ${String(row?.status)}`),
      }),
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Kept" });
    await app.settle();
    const { id } = await app.task();
    await app.advance(5_000);
    mona.deleteIssue(app.repo, 1);
    await app.settle();
    expect(await app.task()).toMatchObject({ id, title: "Kept", status: "done" });
    expect((await app.story("direction=inbound")).at(-1)).toBe("inbound completed detached");
    expect(heard).toEqual(["insert todo", "update done"]);
    expect((await app.pairings(id))[0]?.standing).toMatch(/resource was deleted/);

    await app.advance(5_000);
    await app.editTask(id, { title: "Still ours" });
    await app.settle();
    expect(app.writes()).toBe(0);
  });

  it("may archive what its resource's deletion should remove", async () => {
    const app = await givenSampleTandem(
      await open(),
      withHooks({
        onResourceDeleted: "delete",
        apply: async (tx, operation) => {
          const { op, row } = operation;
          if (op !== "delete") return save(tx, operation);
          await tx.query("update tasks set deleted_at = tandem.now() where id = $1", [row.id]);
          return undefined;
        },
      }),
    );
    const mona = app.github.as("mona");
    mona.openIssue(app.repo, { title: "Kept" });
    await app.settle();
    await app.advance(5_000);
    mona.deleteIssue(app.repo, 1);
    await app.settle();
    expect((await app.story("direction=inbound")).at(-1)).toBe("inbound completed archived_record");
    expect(app.writes()).toBe(0);
  });
});
