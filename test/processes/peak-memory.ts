/** The most memory that a process had, as Linux keeps it. */
import { readFile, writeFile } from "node:fs/promises";

/** @returns by how many bytes it has grown at most, from now until it is asked. */
export async function peakFromNow(pid: number | undefined): Promise<() => Promise<number>> {
  const folder = `/proc/${String(pid)}`;
  async function read(name: "VmRSS" | "VmHWM"): Promise<number> {
    const status = await readFile(`${folder}/status`, "utf8");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1_024;
  }
  // Has it forget the peak so far: `man 5 proc_pid_clear_refs`.
  await writeFile(`${folder}/clear_refs`, "5");
  const before = await read("VmRSS");
  return async () => (await read("VmHWM")) - before;
}
