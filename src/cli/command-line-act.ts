/** Acts of the command line in the audit: by the user of the system, from the command line. */
import type { Act, AuditStore } from "../store/audit.ts";
import type { Io } from "./io.ts";

/** The origin of what this process does itself. */
export const COMMAND_LINE = "command line";

/** The system's user. They can open the database, so nothing more is asked of them. */
export function systemUser({ env }: Pick<Io, "env">): string {
  const names = [env.USER, env.LOGNAME, env.USERNAME];
  return names.find((name) => name !== undefined && name !== "") ?? "unknown user";
}

/** Appends the act of a command that does not go through the API. */
export async function recordCommand(
  audit: AuditStore,
  io: Io,
  { act, subject }: Pick<Act, "act" | "subject">,
): Promise<void> {
  await audit.append({ actor: systemUser(io), act, subject, origin: COMMAND_LINE, status: 200 });
}
