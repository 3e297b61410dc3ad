/** A route of Next with Tandem behind it, in docs/mount.md. */
import { createTandem } from "../../../src/index.ts";
import config from "./tandem.config.ts";

let opened: ReturnType<typeof createTandem> | undefined;
const open = () => (opened ??= createTandem(config, { basePath: "/ops/tandem" }));

const handler = async (request: Request) => (await open()).fetch(request);
export { handler as GET, handler as POST, handler as PUT, handler as PATCH, handler as DELETE };
