/**
 * The routes of the API below `/api`, and the stream of the ledger.
 *
 * 1. A route that only reads is a GET; all other routes are audited.
 * 2. A route reads what has been committed, and starts no work of its own.
 */
export { createApi } from "./api.ts";
