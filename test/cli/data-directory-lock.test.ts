/** The lock beside a PGlite data directory: from the dead it is taken over, from the living never. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  DataDirectoryHeldError,
  type DataDirectoryLock,
  lockDataDirectory,
  lockFileOf,
} from "../../src/cli/context/data-directory-lock.ts";
import { makeFolder } from "./project.ts";

let folder = "";
let data = "";
let lockFile = "";
const taken: DataDirectoryLock[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = makeFolder();
  data = join(folder, ".tandem", "data");
  lockFile = lockFileOf(data);
});

afterEach(() => {
  for (const lock of taken.splice(0)) lock.release();
  for (const child of children.splice(0)) child.kill();
  rmSync(folder, { recursive: true, force: true });
});

function take(): DataDirectoryLock {
  const lock = lockDataDirectory(data);
  taken.push(lock);
  return lock;
}

function underClaim(): unknown {
  try {
    take();
  } catch (error) {
    if (error instanceof DataDirectoryHeldError) return error.holder;
    throw error;
  }
  return "nobody";
}

function leaveLock(content: string): void {
  take().release();
  writeFileSync(lockFile, content);
}

describe("a free data directory", () => {
  it("is locked beside it, with our pid, for our eyes only", () => {
    take();
    expect(lockFile).toBe(`${data}.lock`);
    expect(existsSync(data)).toBe(false);
    expect(JSON.parse(readFileSync(lockFile, "utf8"))).toEqual({ pid: process.pid, url: null });
    expect(statSync(lockFile).mode & 0o077).toBe(0);
  });

  it("can be taken again after it was released, and a second release does no harm", () => {
    const first = take();
    first.release();
    const second = take();
    first.release();
    expect(existsSync(lockFile)).toBe(true);
    second.release();
    expect(existsSync(lockFile)).toBe(false);
  });
});

describe("a data directory that a living process holds", () => {
  it("is refused to others, with where its server is", () => {
    const lock = take();
    expect(underClaim()).toEqual({ pid: process.pid, url: null });
    lock.announce("http://127.0.0.1:4400");
    expect(underClaim()).toEqual({ pid: process.pid, url: "http://127.0.0.1:4400" });
  });

  it("is not taken from another process, however old its lock", () => {
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"]);
    children.push(child);
    const holder = { pid: child.pid, url: "http://127.0.0.1:1" };
    leaveLock(JSON.stringify(holder));
    expect(underClaim()).toEqual(holder);
    expect(JSON.parse(readFileSync(lockFile, "utf8"))).toEqual(holder);
  });

  it("is not taken over while another process is taking it over", () => {
    leaveLock(JSON.stringify({ pid: deadPid(), url: null }));
    writeFileSync(`${lockFile}.takeover`, JSON.stringify({ pid: process.pid, url: null }));
    expect(underClaim()).toEqual({ pid: process.pid, url: null });
    rmSync(`${lockFile}.takeover`);
    expect(underClaim()).toBe("nobody");
  });
});

describe("a lock that was left behind", () => {
  it("by a process that is gone is replaced", () => {
    leaveLock(JSON.stringify({ pid: deadPid(), url: "http://127.0.0.1:4400" }));
    expect(underClaim()).toBe("nobody");
    expect(JSON.parse(readFileSync(lockFile, "utf8"))).toEqual({ pid: process.pid, url: null });
    expect(existsSync(`${lockFile}.takeover`)).toBe(false);
  });

  it("by an earlier process with our pid, as in a container, is replaced", () => {
    leaveLock(JSON.stringify({ pid: process.pid, url: null }));
    expect(underClaim()).toBe("nobody");
  });

  it("and cannot be read is left to a person", () => {
    leaveLock("");
    expect(underClaim()).toBeNull();
    expect(readFileSync(lockFile, "utf8")).toBe("");
  });
});

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}
