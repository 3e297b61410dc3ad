/** A small disk in memory that a run can fill: a tmpfs, which only root may mount. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unprivilegedUser } from "./postgres-binaries.ts";

export interface SmallDisk {
  readonly folder: string;
  /** Takes every byte that is left. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Mounts, says so, and waits until its standard input closes, which a run that is killed does too. The
 * unmount is lazy: a server may still be on its way out.
 */
const guardScript = `
  trap 'rmdir "$1"' EXIT
  mount -t tmpfs -o "$2" tandem-small-disk "$1" || exit 1
  trap 'umount -l "$1"; rmdir "$1"' EXIT
  echo mounted
  cat >/dev/null`;

/** Opens one; a text says why there can be none here. */
export async function openSmallDisk(megabytes: number): Promise<SmallDisk | string> {
  if (process.platform !== "linux") return "only Linux has a tmpfs to mount";
  if (process.getuid?.() !== 0) return "only root may mount a small disk";
  const folder = mkdtempSync(join(tmpdir(), "tandem-small-disk-"));
  const { uid = 0, gid = 0 } = unprivilegedUser();
  const options = `size=${String(megabytes)}m,mode=700,uid=${String(uid)},gid=${String(gid)}`;
  // Its own session: an interrupt typed at the terminal must not end the guard before its time.
  const guard = spawn("/bin/sh", ["-c", guardScript, "guard", folder, options], {
    cwd: "/",
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let said = "";
  guard.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const ended = once(guard, "exit");
  const isMounted = await Promise.race([
    once(guard.stdout, "data").then(() => true),
    ended.then(() => false),
  ]);
  if (!isMounted) return `a small disk cannot be mounted: ${said.trim()}`;
  const ballast = join(folder, "ballast");
  return {
    folder,
    async fill() {
      const file = await open(ballast, "a");
      try {
        for (const bytes of [2 ** 20, 2 ** 12]) await writeUntilFull(file, Buffer.alloc(bytes));
      } finally {
        await file.close();
      }
    },
    free: () => rm(ballast, { force: true }),
    async close() {
      guard.stdin.end();
      await ended;
    },
  };
}

async function writeUntilFull(
  file: { write(bytes: Buffer): Promise<unknown> },
  bytes: Buffer,
): Promise<void> {
  for (;;) {
    try {
      await file.write(bytes);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOSPC") return;
      throw error;
    }
  }
}
