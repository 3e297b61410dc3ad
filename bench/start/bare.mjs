/** A process that opens a new PGlite and runs one query: the least that a user of PGlite must wait for. */
import { PGlite } from "@electric-sql/pglite";

const pglite = await PGlite.create(process.argv[2] ?? "memory://");
await pglite.query("select 1");
process.stdout.write("answered\n");
// Stays alive until it was measured.
process.stdin.resume();
