// Prepares the data directory for new PGlites. It depends on PGlite's version only, so it is kept between
// builds.
import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { PGlite } from "@electric-sql/pglite";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { preparedPath } = await import(
  pathToFileURL(at("dist/store/postgres/driver/prepared-directory.js")).href
);
const path = preparedPath();
if (path === null) throw new Error("the version of PGlite is not known");

const kept = join(at("node_modules/.cache/tandem"), basename(path));
if (!existsSync(kept)) {
  const pglite = await PGlite.create("memory://");
  await pglite.exec("checkpoint");
  const tar = Buffer.from(await (await pglite.dumpDataDir("none")).arrayBuffer());
  await pglite.close();
  // A window as large as the whole file, because it contains three nearly equal databases.
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
  const params = {
    [BROTLI_PARAM_QUALITY]: 9,
    [BROTLI_PARAM_LGWIN]: 24,
    [BROTLI_PARAM_SIZE_HINT]: tar.length,
  };
  mkdirSync(at("node_modules/.cache/tandem"), { recursive: true });
  // Renamed into place, so that an interrupted build never leaves half a file.
  writeFileSync(`${kept}.${process.pid}`, brotliCompressSync(tar, { params }));
  renameSync(`${kept}.${process.pid}`, kept);
}
copyFileSync(kept, path);
