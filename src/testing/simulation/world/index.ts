/**
 * The world of a simulated history: its repositories and projects, and the app's tables in memory or in SQL.
 *
 * 1. All kinds of databases implement one interface, `AppWorld`.
 * 2. Nothing here reads the ledger or judges.
 */
export type { AppTask, AppUser, AppWorld } from "./app-world.ts";
export { Names } from "./names.ts";
export { TOKEN_STANDINGS } from "./own-tokens.ts";
export {
  accountOf,
  commentName,
  type ConnectedSite,
  issueName,
  OUR_LOGINS,
  projectOf,
  PROJECTS,
  repositoriesOf,
  type Site,
  thingOfRecord,
  thingOfResource,
  type WorldKind,
} from "./places.ts";
export { openSqlWorld, type Sql } from "./sql-world.ts";
