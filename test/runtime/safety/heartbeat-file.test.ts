/** A host's memory of a database, from one process to the next. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addMillis, parseInstant } from "../../../src/model/instant.ts";
import { beatsInFile } from "../../../src/runtime/safety/heartbeat-file.ts";
import { type Log, silentLog } from "../../../src/runtime/services/log.ts";
import { keptLog } from "../../harness/kept-log.ts";

const BEAT = { host: randomUUID(), at: parseInstant("2026-03-02T09:00:00.123456Z") };

describe("beats in a file", () => {
  let folder = "";
  const path = () => join(folder, "tandem", "beat.json");
  const open = (log: Log = silentLog) => beatsInFile(path(), log);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "beats-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it("are known to the next process, each by the place that it was seen at", async () => {
    const other = { ...BEAT, host: randomUUID() };
    expect(await open().recall("1/5")).toBeNull();
    await open().keep("1/5", BEAT);
    await open().keep("1/6", other);
    expect(await open().recall("1/5")).toEqual(BEAT);
    expect(await open().recall("1/6")).toEqual(other);
    expect(await open().recall("2/5")).toBeNull();
    expect(await readdir(join(folder, "tandem"))).toEqual(["beat.json"]);
  });

  it("are the later of what this process and another of its host have seen", async () => {
    const here = open();
    await here.keep("1/5", BEAT);
    const later = { host: BEAT.host, at: addMillis(BEAT.at, 45_000) };
    await open().keep("1/5", later);
    expect(await here.recall("1/5")).toEqual(later);
    await open().keep("1/5", { host: BEAT.host, at: addMillis(BEAT.at, -45_000) });
    expect(await here.recall("1/5")).toEqual(BEAT);
  });

  it("are the process's own alone where nobody knows the place: the next may be at another", async () => {
    const here = open();
    await here.keep(null, BEAT);
    expect(await here.recall(null)).toEqual(BEAT);
    expect(await open().recall(null)).toBeNull();
    await expect(readdir(join(folder, "tandem"))).rejects.toThrow("ENOENT");
  });

  it("are those of this process where another has written none later", async () => {
    const here = open();
    await here.keep("1/5", BEAT);
    await open().keep("1/5", { host: randomUUID(), at: BEAT.at });
    expect(await here.recall("1/5")).toEqual(BEAT);
  });

  it("that cannot be read or written are remembered by the process, which says so once", async () => {
    await writeFile(join(folder, "tandem"), "no folder");
    const { log, lines } = keptLog();
    const here = open(log);
    await here.keep("1/5", BEAT);
    await here.keep("1/5", BEAT);
    expect(await here.recall("1/5")).toEqual(BEAT);
    expect(lines).toEqual([
      {
        message: "a process started later will not notice a database that was set back meanwhile",
        file: path(),
        error: expect.any(String) as string,
      },
    ]);
    await rm(join(folder, "tandem"));
    await open().keep("1/5", BEAT);
    await writeFile(path(), "{");
    expect(await open().recall("1/5")).toBeNull();
  });
});
