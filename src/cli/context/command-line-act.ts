/** Audit rows for acts of the command line, with the system's user as the actor. */
import type { Act, AuditStore } from "../../store/audit.ts";
import type { Io } from "../output/index.ts";

/** The origin of acts by this process. */
export const COMMAND_LINE = "command line";

/** The system's user. A user who can open the database needs no other proof. */
export function systemUser({ env }: Pick<Io, "env">): string {
  const names = [env.USER, env.LOGNAME, env.USERNAME];
  return names.find((name) => name !== undefined && name !== "") ?? "unknown user";
}

/** Appends the act of a command that does not use the API. */
export async function recordCommand(
  audit: AuditStore,
  io: Io,
  { act, subject }: Pick<Act, "act" | "subject">,
): Promise<void> {
  await audit.append({ actor: systemUser(io), act, subject, origin: COMMAND_LINE, status: 200 });
}
