/**
 * Rules that every store keeps, whichever way it keeps rows.
 *
 * 1. A write that the database refuses is an error of ours that names the record and the reason.
 * 2. A decision that took a connection for switched off is made again if it was switched on meanwhile.
 * 3. An actor becomes a user of the app, or a placeholder until that user has linked a login.
 */
export { RecordTakenError } from "./record-taken-error.ts";
export { RecordWriteError } from "./record-write-error.ts";
export {
  type ActorRows,
  connectLink,
  findLinks,
  findUser,
  type PlaceholderRows,
  type RecordTable,
  resolveActors,
} from "./resolve-actors.ts";
export { resourceRelations, type ResourceRelations } from "./resource-relations.ts";
export { type SwitchedOff, switchedOffIn, SwitchedOnMeanwhileError } from "./switched-off.ts";
