/** A release to come: this code, with migrations that it does not have yet. */
import { cpSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolder } from "../cli/project.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Release {
  readonly folder: string;
  remove(): void;
}

/** @param migrations Their text, by file name. */
export function makeRelease(migrations: Readonly<Record<string, string>>): Release {
  const folder = makeFolder();
  for (const part of ["src", "migrations", "package.json", "tsconfig.json"]) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const [name, text] of Object.entries(migrations)) {
    writeFileSync(join(folder, "migrations", name), text);
  }
  return {
    folder,
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
