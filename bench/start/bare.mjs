/** A process that opens a new PGlite and asks it one thing: what nobody who starts on one can do without. */
import { PGlite } from "@electric-sql/pglite";

const pglite = await PGlite.create(process.argv[2] ?? "memory://");
await pglite.query("select 1");
process.stdout.write("answered\n");
// Until it has been looked at.
process.stdin.resume();
